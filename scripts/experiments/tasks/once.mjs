/** A function that makes something when it is first called, and gives that from then on. */
export function once(make) {
  let made;
  return () => {
    made ??= make();
    return made;
  };
}
