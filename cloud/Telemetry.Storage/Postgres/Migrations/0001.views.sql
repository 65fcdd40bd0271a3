-- A reading's flags: bits 0-1 quality, 2 null, 3 time estimated, 8-11 one more than the decimals of a float kept in i.

CREATE VIEW telemetry.reading_plain AS
SELECT s.gateway, s.device, s.metric, s.labels, r.time,
       CASE WHEN s.type = 0 THEN coalesce(r.f, r.i::double precision / power(10::double precision, ((r.flags >> 8) & 15) - 1))
            WHEN s.type = 2 AND r.i < 0 THEN (r.i + 18446744073709551616)::double precision
            WHEN s.type IN (1, 2) THEN r.i::double precision END AS number,
       CASE WHEN s.type = 1 THEN r.i::numeric
            WHEN s.type = 2 THEN CASE WHEN r.i < 0 THEN r.i + 18446744073709551616 ELSE r.i::numeric END END AS integer,
       CASE WHEN s.type = 3 THEN r.i <> 0 END AS truth,
       r.t AS text,
       s.unit,
       CASE r.flags & 3 WHEN 0 THEN 'good' WHEN 1 THEN 'uncertain' ELSE 'bad' END AS quality,
       (r.flags & 8) <> 0 AS time_estimated,
       r.series_key, r.device_key
FROM telemetry.reading r
LEFT JOIN telemetry.series s ON s.series_key = r.series_key AND s.device_key = r.device_key;

CREATE VIEW telemetry.books AS
SELECT gateway, g.partition,
       -- What is settled was accepted, also where the gateway has not yet told its new total.
       greatest(coalesce(o.accepted, 0), coalesce(g.stored + g.rejected + g.dropped + g.lost, 0)) AS accepted,
       coalesce(g.stored, 0) AS stored,
       coalesce(g.rejected, 0) AS rejected,
       coalesce(g.dropped, 0) AS dropped,
       coalesce(g.lost, 0) AS lost,
       greatest(0, coalesce(o.accepted, 0) - coalesce(g.stored + g.rejected + g.dropped + g.lost, 0)) AS on_the_way,
       g.watermark,
       coalesce(g.fork, '') AS fork
FROM telemetry.gateway g
FULL JOIN (SELECT gateway, sum(accepted)::bigint AS accepted FROM telemetry.outbox GROUP BY gateway) o USING (gateway);
