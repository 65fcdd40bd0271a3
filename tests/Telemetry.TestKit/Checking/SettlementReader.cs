using Npgsql;
using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;

namespace Telemetry.TestKit.Checking;

/// <summary>Reads the state of each gateway from the database, without its readings.</summary>
internal static class SettlementReader
{
    private const int BadReading = 1;

    public static async Task<Dictionary<GatewayId, GatewaySettlement>> ReadAsync(
        NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var settled = new Dictionary<GatewayId, GatewaySettlement>();
        await foreach (var row in Rows(
            connection, "SELECT gateway, stored, rejected, dropped, lost, fork FROM telemetry.gateway",
            cancellationToken))
        {
            settled[Gateway(row)] = new GatewaySettlement
            {
                Ledger = new Totals(row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4)),
                Fork = row.GetString(5),
            };
        }

        await ReadSums(connection, settled, cancellationToken);
        await ReadRejections(connection, settled, cancellationToken);
        await ReadDrops(connection, settled, cancellationToken);
        return settled;
    }

    private static async Task ReadSums(
        NpgsqlConnection connection, Dictionary<GatewayId, GatewaySettlement> settled,
        CancellationToken cancellationToken)
    {
        await foreach (var row in Rows(
            connection, "SELECT gateway, sum(accepted)::bigint FROM telemetry.outbox GROUP BY gateway",
            cancellationToken))
        {
            Change(settled, Gateway(row), s => s with { Accepted = row.GetInt64(1) });
        }

        await foreach (var row in Rows(
            connection,
            "SELECT gateway, sum(last - first + 1)::bigint FROM telemetry.run WHERE state = 1 GROUP BY gateway",
            cancellationToken))
        {
            Change(settled, Gateway(row), s => s with { LostInRuns = row.GetInt64(1) });
        }

        await foreach (var row in Rows(
            connection,
            "SELECT gateway, sum(removed)::bigint FROM telemetry.retirement_count WHERE width = 0 GROUP BY gateway",
            cancellationToken))
        {
            Change(settled, Gateway(row), s => s with { Retired = row.GetInt64(1) });
        }

        // mod 2^64, in the numbers of any size that SQL has
        await foreach (var row in Rows(
            connection,
            "SELECT gateway, mod(sum(hash_sum::numeric), 18446744073709551616)::text FROM ("
            + "SELECT gateway, hash_sum FROM telemetry.frame_register UNION ALL "
            + "SELECT gateway, hash_sum FROM telemetry.hash_sum_carried) s GROUP BY gateway",
            cancellationToken))
        {
            var sum = System.Numerics.BigInteger.Parse(
                row.GetString(1), System.Globalization.CultureInfo.InvariantCulture);
            var modulus = System.Numerics.BigInteger.One << 64;
            Change(settled, Gateway(row), s => s with { HashSum = (ulong)(((sum % modulus) + modulus) % modulus) });
        }
    }

    private static async Task ReadRejections(
        NpgsqlConnection connection, Dictionary<GatewayId, GatewaySettlement> settled,
        CancellationToken cancellationToken)
    {
        var rejections = new Dictionary<GatewayId, List<Rejection>>();
        var withFrames = new Dictionary<GatewayId, long>();
        await foreach (var row in Rows(
            connection,
            "SELECT gateway, readings, series_identity, time_micros, reason FROM telemetry.dead_letter "
                + "WHERE readings > 0 AND retried_at IS NULL "
                // Letters that an operator discarded no longer exist, and their readings stay rejected.
                + "UNION ALL SELECT gateway, readings::integer, '\\x'::bytea, 0, 0 FROM telemetry.operator_act "
                + "WHERE act = 'dead-letters discard'",
            cancellationToken))
        {
            var gateway = Gateway(row);
            if (row.GetInt32(1) == BadReading && Series(row, 2) is { } series)
            {
                Of(rejections, gateway).Add(new Rejection(series, row.GetInt64(3)));
            }
            else
            {
                withFrames[gateway] = withFrames.GetValueOrDefault(gateway) + row.GetInt32(1);
            }
        }

        foreach (var (gateway, list) in rejections)
        {
            Change(settled, gateway, s => s with { Rejections = list });
        }

        foreach (var (gateway, readings) in withFrames)
        {
            Change(settled, gateway, s => s with { RejectedWithFrames = readings });
        }
    }

    private static async Task ReadDrops(
        NpgsqlConnection connection, Dictionary<GatewayId, GatewaySettlement> settled,
        CancellationToken cancellationToken)
    {
        var drops = new Dictionary<GatewayId, List<DropDeclaration>>();
        const string micros = "(extract(epoch FROM {0}) * 1000000)::bigint";
        var sql = "SELECT gateway, series_identity, readings, "
            + micros.Replace("{0}", "time_first", StringComparison.Ordinal) + ", "
            + micros.Replace("{0}", "time_last", StringComparison.Ordinal) + " FROM telemetry.drop_declaration";
        await foreach (var row in Rows(connection, sql, cancellationToken))
        {
            Of(drops, Gateway(row)).Add(
                new DropDeclaration(Series(row, 1) ?? default, row.GetInt32(2), row.GetInt64(3), row.GetInt64(4)));
        }

        foreach (var (gateway, list) in drops)
        {
            Change(settled, gateway, s => s with { Drops = list });
        }
    }

    private static List<T> Of<T>(Dictionary<GatewayId, List<T>> lists, GatewayId gateway)
    {
        if (!lists.TryGetValue(gateway, out var list))
        {
            lists.Add(gateway, list = []);
        }

        return list;
    }

    private static void Change(
        Dictionary<GatewayId, GatewaySettlement> settled, GatewayId gateway,
        Func<GatewaySettlement, GatewaySettlement> change) =>
        settled[gateway] = change(settled.GetValueOrDefault(gateway, new GatewaySettlement { Ledger = default }));

    private static SeriesIdentity? Series(NpgsqlDataReader row, int column) =>
        row.GetFieldValue<byte[]>(column) is { Length: SeriesIdentity.Bytes } bytes ? SeriesIdentity.Read(bytes) : null;

    private static GatewayId Gateway(NpgsqlDataReader row) => GatewayId.Parse(row.GetString(0));

    private static async IAsyncEnumerable<NpgsqlDataReader> Rows(
        NpgsqlConnection connection, string sql,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            yield return reader;
        }
    }
}
