/** Moments of the gateway in this machine's time: `14:03:07`, of another day `11-29 14:03`. Pure but for the time zone. */
export function clockText(at: string | number, nowMs: number): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return String(at);
  const [day, time] = [dayOf(date), date.toTimeString().slice(0, 8)];
  return day === dayOf(new Date(nowMs)) ? time : `${day.slice(5)} ${time.slice(0, 5)}`;
}

function dayOf(date: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
