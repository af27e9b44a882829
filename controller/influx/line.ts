import { Point as LinePoint } from '@influxdata/influxdb-client';
import type { Point } from './points.ts';

/** A point as one line of InfluxDB's line protocol, without a newline; the time is in milliseconds. */
export const lineOf = ({ measurement, tags, floats, integers, strings, time_ms }: Point): string => {
  const point = new LinePoint(measurement).timestamp(time_ms);
  for (const [name, value] of Object.entries(tags)) point.tag(name, value);
  for (const [name, value] of Object.entries(floats)) point.floatField(name, value);
  for (const [name, value] of Object.entries(integers)) point.intField(name, value);
  for (const [name, value] of Object.entries(strings)) point.stringField(name, value);
  return point.toString();
};
