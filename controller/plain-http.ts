/**
 * What servers answer, with a status of 400, to plain HTTP on a port for TLS: Go's (Alertmanager, InfluxDB, VictoriaMetrics, Caddy), nginx,
 * Apache, Tomcat.
 */
const WANTS_TLS = /HTTP request .{0,40}HTTPS|speaking plain HTTP|requires TLS/i;

/** Whether an answer to plain HTTP says that `https://` belongs in the URL: it says nothing of what was sent. */
export const wantsTls = (url: string, answer: string): boolean => url.startsWith('http:') && WANTS_TLS.test(answer);
