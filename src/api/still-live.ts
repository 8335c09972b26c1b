/** The reason at the end of a recording whose session lives: it has no end yet, and was not interrupted. */
export const STILL_LIVE = 'the session goes on';
