/** The most requests of one export, as the API describes it. */
export const MOST_EXPORTED = 100_000

/** Whether a CSV of requests may have been cut at the most that one holds. */
export function isCut(csv: string, most: number = MOST_EXPORTED): boolean {
  let lines = 0
  for (let at = csv.indexOf('\r\n'); at >= 0; at = csv.indexOf('\r\n', at + 2)) lines += 1
  // The first line names the columns.
  return lines > most
}
