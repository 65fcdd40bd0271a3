namespace Telemetry.Storage.Postgres.Fleet;

/// <summary>What a dashboard asks about the pipeline.</summary>
internal static class PipelineQuery
{
    public const string Sql = """
        SELECT json_build_object(
            'at', now(),
            'partitions', (SELECT coalesce(json_agg(p ORDER BY p.partition), '[]') FROM (
                SELECT p.partition, p.owner, p.lease_until AS "leaseUntil", p.lease_until >= now() AS owned, p.commits,
                       p.alert_number AS alerts, r.number AS published, r.published_at AS "publishedAt",
                       v.messages AS "liveMessages", v.oldest_at AS "liveOldestAt", k.messages AS "backlogMessages",
                       k.oldest_at AS "backlogOldestAt", least(v.removed_at, k.removed_at) AS "removedAt",
                       (ARRAY['none', 'info', 'warning', 'critical', 'outlives the log'])
                           [greatest(v.stage, k.stage) + 1] AS stage, least(v.looked_at, k.looked_at) AS "lookedAt"
                FROM telemetry.partition p
                LEFT JOIN telemetry.relay_position r ON r.partition = p.partition
                LEFT JOIN telemetry.stream_lag v ON v.partition = p.partition AND v.stream = 'live'
                LEFT JOIN telemetry.stream_lag k ON k.partition = p.partition AND k.stream = 'backlog') p),
            'ingresses', (SELECT coalesce(json_agg(i ORDER BY i."saidAt" DESC), '[]') FROM (
                SELECT i.ingress, i.said_at AS "saidAt", i.said_at > now() - interval '40 s' AS alive,
                       (SELECT count(*) FROM telemetry.gateway_presence g WHERE g.run = i.run AND g.connected)
                           AS gateways
                FROM telemetry.ingress_run i ORDER BY i.said_at DESC LIMIT 50) i),
            'relays', (SELECT coalesce(json_agg(r), '[]') FROM (
                SELECT relay, owner, lease_until AS "leaseUntil", lease_until >= now() AS owned
                FROM telemetry.relay) r),
            'deadLetters', (SELECT coalesce(json_agg(d ORDER BY d.letters DESC), '[]') FROM (
                SELECT (ARRAY['value', 'time', 'malformed', 'fork', 'database', 'limit'])[reason] AS reason,
                       count(*) AS letters, sum(readings) AS readings, count(DISTINCT gateway) AS gateways,
                       max(stored_at) AS "newestAt"
                FROM telemetry.dead_letter WHERE retried_at IS NULL GROUP BY reason) d),
            'newestLetters', (SELECT coalesce(json_agg(d ORDER BY d.id DESC), '[]') FROM (
                SELECT id, gateway,
                       (ARRAY['value', 'time', 'malformed', 'fork', 'database', 'limit'])[reason] AS reason, error,
                       readings, stored_at AS "storedAt"
                FROM telemetry.dead_letter WHERE retried_at IS NULL ORDER BY id DESC LIMIT 50) d),
            'databaseBytes', pg_database_size(current_database()),
            'server', current_setting('server_version'))::text
        """;
}
