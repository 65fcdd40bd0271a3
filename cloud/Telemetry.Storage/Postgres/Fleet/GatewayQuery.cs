namespace Telemetry.Storage.Postgres.Fleet;

/// <summary>What a dashboard asks about one gateway.</summary>
internal static class GatewayQuery
{
    /// <summary>The most series, epochs and letters of one answer; it says how many there are.</summary>
    public const int RowsMax = 500;

    public const string Sql = """
        SELECT json_build_object(
            'gateway', n.gateway,
            'books', (SELECT row_to_json(b) FROM (
                SELECT partition, accepted, stored, rejected, dropped, lost, on_the_way AS "onTheWay", watermark, fork,
                       retired FROM telemetry.books WHERE gateway = $1) b),
            'presence', (SELECT row_to_json(p) FROM (
                SELECT connected, since, ingress, agent_version AS version,
                       extract(epoch FROM clock_offset)::double precision AS "clockOffsetSeconds",
                       clock_synchronised AS "clockSynchronised", said_at AS "saidAt"
                FROM telemetry.presence WHERE gateway = $1) p),
            'waitsFor', (SELECT waits_for FROM telemetry.watermarks WHERE gateway = $1),
            'changedAt', (SELECT changed_at FROM telemetry.gateway WHERE gateway = $1),
            'epochs', (SELECT coalesce(json_agg(e ORDER BY e."lastFrameAt" DESC NULLS LAST), '[]') FROM (
                SELECT lpad(to_hex(e.epoch), 16, '0') AS epoch, lpad(to_hex(e.predecessor), 16, '0') AS predecessor,
                       e.complete, e.last_critical AS critical, e.last_live AS live, e.last_backlog AS backlog,
                       f.first_at AS "firstFrameAt", f.last_at AS "lastFrameAt",
                       e.epoch IN (SELECT u.epoch FROM (SELECT ('x' || epoch)::bit(64)::bigint AS epoch
                           FROM telemetry.unclosed_epochs WHERE gateway = $1) u) AS unclosed
                FROM telemetry.epoch e
                LEFT JOIN LATERAL (SELECT min(r.stored_at) AS first_at, max(r.stored_at) AS last_at
                    FROM telemetry.frame_register r WHERE r.gateway = e.gateway AND r.epoch = e.epoch) f ON true
                WHERE e.gateway = $1 ORDER BY f.last_at DESC NULLS LAST LIMIT 50) e),
            'epochCount', (SELECT count(*) FROM telemetry.epoch WHERE gateway = $1),
            'gaps', (SELECT coalesce(json_agg(u), '[]') FROM (
                SELECT epoch, lane, first, last, sequences FROM telemetry.unsettled WHERE gateway = $1
                ORDER BY epoch, lane, first LIMIT 100) u),
            'losses', (SELECT coalesce(json_agg(l), '[]') FROM (
                SELECT lpad(to_hex(epoch), 16, '0') AS epoch,
                       (ARRAY['critical', 'live', 'backlog'])[lane + 1] AS lane, first, last, time_first AS "timeFirst",
                       time_last AS "timeLast"
                FROM telemetry.run WHERE gateway = $1 AND state = 1 ORDER BY time_last DESC LIMIT 100) l),
            'devices', (SELECT coalesce(json_agg(d ORDER BY d.device), '[]') FROM (
                SELECT device, site, location, labels, time_zone AS "timeZone", heard
                FROM telemetry.devices WHERE gateway = $1 ORDER BY device LIMIT 500) d),
            'series', (SELECT coalesce(json_agg(v ORDER BY v.device, v.metric), '[]') FROM (
                SELECT s.id AS series, s.device, s.metric, s.labels, s.unit, r.time, r.number, r.integer::text,
                       r.truth, r.text, r.quality
                FROM (SELECT * FROM telemetry.series WHERE gateway = $1 ORDER BY device, metric, id LIMIT 500) s
                LEFT JOIN telemetry.latest_readings($1) r ON r.series = s.id) v),
            'seriesCount', (SELECT count(*) FROM telemetry.series WHERE gateway = $1),
            'deadLetters', (SELECT coalesce(json_agg(d ORDER BY d.id DESC), '[]') FROM (
                SELECT id, (ARRAY['value', 'time', 'malformed', 'fork', 'database', 'limit'])[reason] AS reason, error,
                       readings, (ARRAY['critical', 'live', 'backlog'])[lane + 1] AS lane, first, count,
                       stored_at AS "storedAt", retried_at AS "retriedAt"
                FROM telemetry.dead_letter WHERE gateway = $1 ORDER BY id DESC LIMIT 50) d),
            'deadLetterCount', (SELECT count(*) FROM telemetry.dead_letter
                                WHERE gateway = $1 AND retried_at IS NULL))::text
        FROM (SELECT gateway FROM telemetry.gateway WHERE gateway = $1
              UNION SELECT gateway FROM telemetry.gateway_presence WHERE gateway = $1
              UNION SELECT gateway FROM telemetry.device_metadata WHERE gateway = $1) n
        WHERE $2::text[] IS NULL OR telemetry.gateway_at(n.gateway, $2)
        """;
}
