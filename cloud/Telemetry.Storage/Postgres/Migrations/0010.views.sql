-- The newest reading of each series of a gateway, with the columns of telemetry.reading_plain.
CREATE FUNCTION telemetry.latest_readings(in_gateway text)
RETURNS TABLE (gateway text, device text, metric text, labels jsonb, "time" timestamptz, number double precision,
    "integer" numeric, truth boolean, text text, unit text, quality text, time_estimated boolean, series integer)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.gateway, s.device, s.metric, s.labels, r.time,
           CASE WHEN s.type = 0 THEN coalesce(r.f, r.i::double precision
                    / power(10::double precision, ((r.flags >> 8) & 15) - 1))
                WHEN s.type = 2 AND r.i < 0 THEN (r.i + 18446744073709551616)::double precision
                WHEN s.type IN (1, 2) THEN r.i::double precision END,
           CASE WHEN s.type = 1 THEN r.i::numeric
                WHEN s.type = 2 THEN CASE WHEN r.i < 0 THEN r.i + 18446744073709551616 ELSE r.i::numeric END END,
           CASE WHEN s.type = 3 THEN r.i <> 0 END,
           r.t, s.unit,
           CASE r.flags & 3 WHEN 0 THEN 'good' WHEN 1 THEN 'uncertain' ELSE 'bad' END,
           (r.flags & 8) <> 0, s.id
    FROM telemetry.latest_rows(ARRAY(SELECT id FROM telemetry.series WHERE series.gateway = in_gateway)) r
    JOIN telemetry.series s ON s.id = r.series
$$;
