using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.Devices;

/// <summary>A device as it is listed.</summary>
/// <param name="Gateway">The gateway.</param>
/// <param name="Device">The device.</param>
/// <param name="Site">Its site; empty for none.</param>
/// <param name="Location">Its location; empty for none.</param>
/// <param name="TimeZone">Its time zone.</param>
/// <param name="Labels">Its labels, as JSON.</param>
/// <param name="Heard">True when it sent a series.</param>
public sealed record ListedDevice(
    string Gateway, string Device, string Site, string Location, string TimeZone, string Labels, bool Heard);

/// <summary>What an import changed, or would change.</summary>
/// <param name="Added">Devices that were not described before.</param>
/// <param name="Changed">Devices of which something is different now.</param>
/// <param name="Unchanged">Devices that were described so before.</param>
public readonly record struct ImportOutcome(int Added, int Changed, int Unchanged);

/// <summary>The metadata and the moves of devices in the database.</summary>
public sealed class DeviceTable(NpgsqlDataSource database)
{
    private const int RowsMax = 1000;

    private const string ZonesSql = "SELECT name FROM pg_timezone_names";

    private const string ListSql = """
        SELECT gateway, device, coalesce(site, ''), coalesce(location, ''), time_zone, labels::text, heard
        FROM telemetry.devices
        WHERE ($1::text IS NULL OR gateway = $1) AND ($2::text IS NULL OR site = $2)
        ORDER BY gateway, device
        """;

    private const string PutSql = """
        WITH put AS (
            INSERT INTO telemetry.device_metadata AS m (gateway, device, site, location, time_zone, labels, limits)
            SELECT gateway, device, site, location, time_zone, labels::jsonb, limits::jsonb
            FROM unnest($1, $2, $3, $4, $5, $6, $7) u(gateway, device, site, location, time_zone, labels, limits)
            ON CONFLICT (gateway, device) DO UPDATE SET site = excluded.site, location = excluded.location,
                time_zone = excluded.time_zone, labels = excluded.labels, limits = excluded.limits, changed_at = now()
            WHERE (m.site, m.location, m.time_zone, m.labels, m.limits) IS DISTINCT FROM
                (excluded.site, excluded.location, excluded.time_zone, excluded.labels, excluded.limits)
            RETURNING xmax = 0 AS added)
        SELECT count(*) FILTER (WHERE added)::integer, count(*) FILTER (WHERE NOT added)::integer FROM put
        """;

    private static readonly Func<DeviceMetadata, string?>[] Columns =
    [
        d => d.Gateway, d => d.Device, d => d.Site, d => d.Location, d => d.TimeZone,
        d => JsonSerializer.Serialize(d.Labels), d => Limits(d.Limits),
    ];

    /// <summary>The names of the time zones that the database knows.</summary>
    public async Task<IReadOnlyList<string>> TimeZonesAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(ZonesSql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var names = new List<string>();
        while (await reader.ReadAsync(cancellationToken))
        {
            names.Add(reader.GetString(0));
        }

        return names;
    }

    /// <summary>The devices of a gateway and of a site; null for all.</summary>
    public async Task<IReadOnlyList<ListedDevice>> ListAsync(
        string? gateway, string? site, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(ListSql, connection);
        foreach (var text in (string?[])[gateway, site])
        {
            command.Parameters.Add(new NpgsqlParameter
            {
                Value = (object?)text ?? DBNull.Value,
                NpgsqlDbType = NpgsqlDbType.Text,
            });
        }

        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var devices = new List<ListedDevice>();
        while (await reader.ReadAsync(cancellationToken))
        {
            devices.Add(new ListedDevice(
                reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetString(3), reader.GetString(4),
                reader.GetString(5), reader.GetBoolean(6)));
        }

        return devices;
    }

    /// <summary>
    /// Writes the metadata of devices, each named once, in one transaction; with <paramref name="onlyCheck"/> it is
    /// rolled back.
    /// </summary>
    public async Task<ImportOutcome> PutAsync(
        IReadOnlyList<DeviceMetadata> devices, bool onlyCheck, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await BesideTransaction.BeginAsync(connection, cancellationToken);
        int added = 0, changed = 0;
        // In the order of the key, so that two imports at once do not wait for each other in a ring.
        foreach (var rows in devices.OrderBy(d => d.Gateway, StringComparer.Ordinal)
            .ThenBy(d => d.Device, StringComparer.Ordinal).Chunk(RowsMax))
        {
            await using var command = new NpgsqlCommand(PutSql, connection);
            foreach (var column in Columns)
            {
                command.Parameters.Add(new NpgsqlParameter
                {
                    Value = Array.ConvertAll(rows, row => column(row)),
                    NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text,
                });
            }

            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            added += reader.GetInt32(0);
            changed += reader.GetInt32(1);
        }

        if (!onlyCheck)
        {
            await transaction.CommitAsync(cancellationToken);
        }

        return new ImportOutcome(added, changed, devices.Count - added - changed);
    }

    /// <summary>
    /// Writes a move, with a row of the audit. Returns what keeps it from being written; else null, and adds to
    /// <paramref name="remarks"/> what the operator should know.
    /// </summary>
    public Task<string?> MoveAsync(
        DeviceMove move, string operatorName, List<string> remarks, CancellationToken cancellationToken) =>
        move.RunAsync(database, operatorName, remarks, cancellationToken);

    private static string Limits(IReadOnlyDictionary<string, MetricLimits> limits) => JsonSerializer.Serialize(
        limits.ToDictionary(
            metric => metric.Key,
            metric => new Dictionary<string, double?> { ["low"] = metric.Value.Low, ["high"] = metric.Value.High }
                .Where(limit => limit.Value is not null).ToDictionary(limit => limit.Key, limit => limit.Value)));
}
