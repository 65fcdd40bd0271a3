-- What people query. docs/reference/database.md describes every column.

CREATE VIEW telemetry.devices AS
SELECT gateway, device, m.site, m.location, coalesce(m.labels, '{}') AS labels,
       coalesce(m.time_zone, 'UTC') AS time_zone, coalesce(m.limits, '{}') AS limits,
       d.device IS NOT NULL AS heard, m.changed_at
FROM telemetry.device_metadata m
FULL JOIN (SELECT DISTINCT gateway, device FROM telemetry.device) d USING (gateway, device);

CREATE VIEW telemetry.device_moves AS
SELECT device, from_gateway, to_gateway, at, moved_at, moved_by FROM telemetry.device_move;

-- The times of the devices that moved: one row for each gateway and each stay.
CREATE VIEW telemetry.device_places AS
SELECT device, gateway, valid_from, valid_to, home_gateway, arrived, replaced FROM telemetry.device_place;

-- Is the window one of the stay? It belongs to one stay as a whole, also if the device came or went in it.
CREATE FUNCTION telemetry.window_of_stay(
    start timestamptz, until timestamptz, valid_from timestamptz, valid_to timestamptz, arrived boolean,
    replaced boolean)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT start < valid_to AND (start >= valid_from OR arrived AND until > valid_from)
        AND NOT (replaced AND until > valid_to)
$$;

-- Series with the metadata of their device, as it is now.
CREATE VIEW telemetry.device_series AS
SELECT s.id AS series, s.gateway, h.home_gateway, s.device, s.metric, s.labels,
       (ARRAY['float', 'int', 'uint', 'bool', 'text'])[s.type + 1] AS type, s.unit, s.decimals,
       s.extra_lateness_micros * interval '1 microsecond' AS extra_lateness,
       m.site, m.location, coalesce(m.labels, '{}') AS device_labels, coalesce(m.time_zone, 'UTC') AS time_zone,
       (m.limits -> s.metric ->> 'low')::double precision AS limit_low,
       (m.limits -> s.metric ->> 'high')::double precision AS limit_high,
       coalesce(p.valid_from, '-infinity') AS valid_from, coalesce(p.valid_to, 'infinity') AS valid_to,
       coalesce(p.arrived, false) AS arrived, coalesce(p.replaced, false) AS replaced,
       g.watermark, s.identity
FROM telemetry.series s
LEFT JOIN telemetry.gateway g ON g.gateway = s.gateway
LEFT JOIN telemetry.device_place p ON p.device = s.device AND p.gateway = s.gateway
CROSS JOIN LATERAL (SELECT CASE WHEN p.device IS NULL THEN s.gateway ELSE p.home_gateway END AS home_gateway) h
LEFT JOIN telemetry.device_metadata m ON m.gateway = h.home_gateway AND m.device = s.device;
