namespace Telemetry.Storage.Postgres.Fleet;

/// <summary>All that dashboards ask about alerts: of the states of the rules, and of the alert outbox.</summary>
internal static class AlertQueries
{
    /// <summary>The number of firing alerts of the gateway <c>n.gateway</c>.</summary>
    public const string CountOfGateway =
        "(SELECT count(*)::int FROM telemetry.alert_state a WHERE a.gateway = n.gateway AND a.state = 2)";

    /// <summary>The same of many gateways.</summary>
    public const string CountSql = """
        SELECT gateway, count(*)::int FROM telemetry.alert_state WHERE gateway = ANY ($1) AND state = 2 GROUP BY gateway
        """;

    /// <summary>The firing alerts of a gateway, a rule, or all.</summary>
    public const string FiringSql = """
        SELECT coalesce(json_agg(f ORDER BY f."startedAt" DESC), '[]')::text
        FROM (SELECT a.gateway, a.rule, encode(a.instance, 'hex') AS instance, h.revision,
                     s.id AS series, s.device, s.metric, s.labels, s.unit, t.site,
                     coalesce(h.severity, e.event ->> 'severity') AS severity, e.event -> 'value' AS value,
                     e.event -> 'threshold' AS threshold, coalesce(e.event -> 'late', 'false') AS late,
                     e.event -> 'frame' AS frame,
                     timestamptz '1970-01-01Z' + a.started_micros * interval '1 microsecond' AS "startedAt",
                     timestamptz '1970-01-01Z' + a.time_micros * interval '1 microsecond' AS "evaluatedTo",
                     e.stored_at AS "storedAt", k.acknowledged, q.silenced
              FROM telemetry.alert_state a
              LEFT JOIN telemetry.series s ON s.identity = a.series_identity
              LEFT JOIN telemetry.device_metadata t ON t.gateway = a.gateway AND t.device = s.device
              LEFT JOIN LATERAL (
                  SELECT convert_from(o.event, 'UTF8')::jsonb AS event, o.stored_at FROM telemetry.alert_outbox o
                  JOIN telemetry.gateway g ON g.partition = o.partition AND g.gateway = a.gateway
                  WHERE convert_from(o.event, 'UTF8')::jsonb ->> 'instance' = encode(a.instance, 'hex')
                  ORDER BY o.number DESC LIMIT 1) e ON true
              LEFT JOIN telemetry.alert h ON h.id = a.instance
              LEFT JOIN LATERAL (
                  SELECT json_build_object('by', actor, 'at', at, 'comment', comment, 'revision', revision)
                      AS acknowledged
                  FROM telemetry.alert_act WHERE kind = 0 AND alert = a.instance
                  ORDER BY revision DESC LIMIT 1) k ON true
              LEFT JOIN LATERAL (
                  SELECT json_build_object('by', w.actor, 'until', w.until, 'reason', w.comment, 'id', w.id) AS silenced
                  FROM telemetry.alert_act w
                  WHERE w.kind = 1 AND w.until > now() AND (w.sites = '{}' OR telemetry.gateway_at(a.gateway, w.sites))
                    AND telemetry.alert_matches(
                        w.matcher, a.rule, h.severity, a.gateway, s.device, s.metric, t.site, s.labels)
                    AND NOT EXISTS (SELECT FROM telemetry.alert_act x WHERE x.kind = 2 AND x.silence = w.id)
                  ORDER BY w.until DESC LIMIT 1) q ON true
              WHERE a.state = 2 AND ($1::text IS NULL OR a.gateway = $1) AND ($2::text IS NULL OR a.rule = $2)
                AND ($5::text[] IS NULL OR a.gateway IN (SELECT telemetry.gateways_at($5)))
              ORDER BY a.started_micros DESC LIMIT $4) f
        WHERE $3::timestamptz IS NOT NULL
        """;

    /// <summary>The transitions of a gateway, a rule, or all.</summary>
    public const string HistorySql = """
        SELECT coalesce(json_agg(f ORDER BY f."storedAt" DESC, f.number DESC), '[]')::text
        FROM (SELECT o.partition, o.number, o.stored_at AS "storedAt", e.event
              FROM telemetry.alert_outbox o
              CROSS JOIN LATERAL (SELECT convert_from(o.event, 'UTF8')::jsonb AS event) e
              WHERE o.stored_at < $3 AND ($1::text IS NULL OR e.event ->> 'gateway' = $1)
                AND ($2::text IS NULL OR e.event ->> 'rule' = $2)
                AND ($5::text[] IS NULL OR e.event ->> 'gateway' IN (SELECT telemetry.gateways_at($5)))
              ORDER BY o.stored_at DESC, o.number DESC LIMIT $4) f
        """;
}
