using System.Globalization;

namespace Telemetry.Integration.Storage;

/// <summary>Alerts of gateways gw-a at site A, gw-b at site B and gw-ab at both, as owners write them.</summary>
internal static class AlertSample
{
    /// <summary>The id of the alert of a gateway's series.</summary>
    public static string Id(int number) => number.ToString("x32", CultureInfo.InvariantCulture);

    public static async Task Add(PostgresDatabase database)
    {
        foreach (var (number, gateway, sites) in new[] { (1, "gw-a", "A"), (2, "gw-b", "B"), (3, "gw-ab", "A,B") })
        {
            await database.Execute($$"""
                INSERT INTO telemetry.gateway (
                    gateway, partition, stored, rejected, dropped, lost, fork, changed_at)
                VALUES ('{{gateway}}', 0, {{number}}00, 0, 0, 0, '', now());
                INSERT INTO telemetry.device_metadata (gateway, device, site)
                SELECT '{{gateway}}', 'pump ' || site, site FROM string_to_table('{{sites}}', ',') site;
                INSERT INTO telemetry.device (identity, gateway, device)
                VALUES (decode('{{Id(number + 16)}}', 'hex'), '{{gateway}}', 'pump');
                INSERT INTO telemetry.series (
                    identity, device_id, gateway, device, metric, labels, type, unit, extra_lateness_micros)
                SELECT decode('{{Id(number)}}', 'hex'), id, gateway, 'pump', 'temp', '{"side":"left"}', 0, 'C', 0
                FROM telemetry.device WHERE gateway = '{{gateway}}';
                INSERT INTO telemetry.dead_letter (
                    gateway, epoch, lane, first, count, reason, error, readings, series_identity, time_micros, bytes,
                    stored_at)
                VALUES ('{{gateway}}', 1, 1, 1, 1, 3, 'of {{gateway}}', 1, '\x', 0, '\x', now());
                INSERT INTO telemetry.frame_register_day (gateway, day, frames, stored, rejected, dropped, hash_sum)
                SELECT '{{gateway}}', current_date, 1, {{number}}00, 0, 0, 0;
                INSERT INTO telemetry.alert_outbox (partition, number, chain, id, event, stored_at)
                VALUES (0, {{number}}, '\x', decode('{{Id(number + 32)}}', 'hex'),
                    convert_to('{"gateway":"{{gateway}}","rule":"hot"}', 'UTF8'), now())
                """);
            await Fire(database, number, gateway, number);
        }
    }

    /// <summary>An alert opens on the series.</summary>
    public static Task Fire(PostgresDatabase database, int series, string gateway, int alert) => database.Execute($"""
        INSERT INTO telemetry.alert (
            id, gateway, rule, series_identity, rule_version, severity, state, began_micros, fired_micros, peak, late,
            delay_micros, revision, said, named_micros, published_at, changed_at)
        VALUES (decode('{Id(alert)}', 'hex'), '{gateway}', 'hot', decode('{Id(series)}', 'hex'), 1, 'critical', 0, 1, 2,
            3, false, 0, 0, 0, 1, now(), now());
        INSERT INTO telemetry.alert_state (
            gateway, rule, series_identity, rule_version, state, instance, started_micros, time_micros)
        VALUES ('{gateway}', 'hot', decode('{Id(series)}', 'hex'), 1, 2, decode('{Id(alert)}', 'hex'), 1, 2)
        ON CONFLICT (gateway, rule, series_identity) DO UPDATE SET state = 2, instance = excluded.instance
        """);

    /// <summary>An alert is resolved.</summary>
    public static Task Resolve(PostgresDatabase database, int alert) => database.Execute($"""
        UPDATE telemetry.alert SET state = 1, ended_micros = 9 WHERE id = decode('{Id(alert)}', 'hex');
        UPDATE telemetry.alert_state SET state = 0 WHERE instance = decode('{Id(alert)}', 'hex')
        """);
}
