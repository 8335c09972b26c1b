/** Policies for one purpose, with the cases that say what they must do: to be taken into a set, and changed there. */
export interface PolicyPack {
  /** Also the names of its files, and the beginning of its rules' ids. */
  readonly name: string;
  /** One plain line. */
  readonly summary: string;
  /** It only forbids: the pack whose permits it is tried over. */
  readonly over?: string;
  /** Cedar. */
  readonly policies: string;
  /** YAML, as `hoopctl policy test` takes it, of the resources of `hoopd demo`. */
  readonly cases: string;
}
