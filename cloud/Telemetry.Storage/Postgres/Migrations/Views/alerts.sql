-- The history of alerts: one row an instance.
CREATE VIEW telemetry.alerts AS
SELECT encode(a.id, 'hex') AS id, a.gateway, s.device, s.metric, s.labels, a.rule,
       lpad(to_hex(a.rule_version), 16, '0') AS rule_version, a.severity,
       (ARRAY['firing', 'resolved', 'retracted'])[a.state + 1] AS state,
       timestamptz '1970-01-01Z' + a.began_micros * interval '1 microsecond' AS began_at,
       timestamptz '1970-01-01Z' + a.fired_micros * interval '1 microsecond' AS fired_at,
       timestamptz '1970-01-01Z' + a.ended_micros * interval '1 microsecond' AS ended_at,
       a.peak, a.revision, a.late, make_interval(secs => a.delay_micros / 1e6) AS detection_delay,
       a.published_at, a.changed_at, encode(a.series_identity, 'hex') AS series_key
FROM telemetry.alert a LEFT JOIN telemetry.series s ON s.identity = a.series_identity;
