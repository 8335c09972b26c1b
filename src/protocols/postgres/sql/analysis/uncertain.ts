/** A statement, or a piece of it, whose analysis is not certain: what it is, in words for people. */
export class Uncertain extends Error {}
