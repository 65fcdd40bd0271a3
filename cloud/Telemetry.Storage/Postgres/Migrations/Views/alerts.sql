-- The history of alerts: one row an instance. What telemetry.gateway_at does stands here itself: the tables that a
-- function reads are read with the rights of whoever asks, and readers have none.
CREATE VIEW telemetry.alerts AS
SELECT encode(a.id, 'hex') AS id, a.gateway, s.device, s.metric, s.labels, a.rule,
       lpad(to_hex(a.rule_version), 16, '0') AS rule_version, a.severity,
       (ARRAY['firing', 'resolved', 'retracted'])[a.state + 1] AS state,
       timestamptz '1970-01-01Z' + a.began_micros * interval '1 microsecond' AS began_at,
       timestamptz '1970-01-01Z' + a.fired_micros * interval '1 microsecond' AS fired_at,
       timestamptz '1970-01-01Z' + a.ended_micros * interval '1 microsecond' AS ended_at,
       a.peak, a.revision, a.late, make_interval(secs => a.delay_micros / 1e6) AS detection_delay,
       a.published_at, a.changed_at, encode(a.series_identity, 'hex') AS series_key,
       (SELECT k.actor FROM telemetry.alert_act k WHERE k.kind = 0 AND k.alert = a.id
        ORDER BY k.revision DESC LIMIT 1) AS acknowledged_by,
       (SELECT k.at FROM telemetry.alert_act k WHERE k.kind = 0 AND k.alert = a.id
        ORDER BY k.revision DESC LIMIT 1) AS acknowledged_at,
       (SELECT max(w.until) FROM telemetry.alert_act w
        WHERE a.state = 0 AND w.kind = 1 AND w.until > now()
          AND NOT EXISTS (SELECT FROM telemetry.alert_act e WHERE e.kind = 2 AND e.silence = w.id)
          AND (w.sites = '{}' OR (
              SELECT coalesce(bool_and(m.site = ANY (w.sites)), false) FROM telemetry.device_metadata m
              WHERE m.gateway = a.gateway AND m.site IS NOT NULL))
          AND telemetry.alert_matches(
              w.matcher, a.rule, a.severity, a.gateway, s.device, s.metric,
              (SELECT m.site FROM telemetry.device_metadata m WHERE m.gateway = a.gateway AND m.device = s.device),
              s.labels)) AS silenced_until
FROM telemetry.alert a LEFT JOIN telemetry.series s ON s.identity = a.series_identity;

-- What people did with alerts, only ever added to.
CREATE VIEW telemetry.alert_acts AS
SELECT id, at, actor, (ARRAY['acknowledge', 'silence', 'silence end'])[kind + 1] AS act, encode(alert, 'hex') AS alert,
       revision, comment, matcher, sites, until, silence
FROM telemetry.alert_act;

-- The silences that hold now.
CREATE VIEW telemetry.silences AS
SELECT w.id, w.at, w.actor, w.comment AS reason, w.matcher, w.sites, w.until
FROM telemetry.alert_act w
WHERE w.kind = 1 AND w.until > now()
  AND NOT EXISTS (SELECT FROM telemetry.alert_act e WHERE e.kind = 2 AND e.silence = w.id);
