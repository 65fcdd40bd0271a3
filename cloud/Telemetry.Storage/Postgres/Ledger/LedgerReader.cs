using Npgsql;
using NpgsqlTypes;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Schemas;
using Telemetry.Storage.Alerts;
using Telemetry.Storage.Postgres.Statements;
using Telemetry.Storage.Windows;

namespace Telemetry.Storage.Postgres.Ledger;

/// <summary>Reads everything in the ledger about some gateways, from one snapshot, in one round trip.</summary>
internal static class LedgerReader
{
    private static readonly string[] Queries =
    [
        "SELECT gateway, partition, stored, rejected, dropped, lost, watermark, fork, fork_resolved, "
            + "window_from, window_to FROM telemetry.gateway WHERE gateway = ANY($1)",
        "SELECT gateway, epoch, predecessor, predecessor_critical, predecessor_live, predecessor_backlog, complete, "
            + "last_critical, last_live, last_backlog, outbox FROM telemetry.epoch WHERE gateway = ANY($1) ORDER BY "
            + "gateway, epoch",
        "SELECT gateway, epoch, lane, prefix, prefix_share FROM telemetry.lane WHERE gateway = ANY($1) "
            + "ORDER BY gateway, epoch, lane",
        "SELECT gateway, epoch, lane, first, last, state, share FROM telemetry.run WHERE gateway = ANY($1) "
            + "ORDER BY gateway, epoch, lane, first",
        "SELECT gateway, outbox, accepted FROM telemetry.outbox WHERE gateway = ANY($1) ORDER BY gateway, outbox",
        "SELECT gateway, rule, series_identity, rule_version, state, instance, started_micros, time_micros, "
            + "fired_micros, peak, gap_from, gap_to, checkpoint, memory_micros, memory "
            + "FROM telemetry.alert_state WHERE gateway = ANY($1)",
        "SELECT gateway, needs, hash, octet_length(bytes) FROM telemetry.waiting_message WHERE gateway = ANY($1) "
            + "ORDER BY gateway, id",
    ];

    /// <summary>Returns one record for each gateway, in the given order.</summary>
    public static async Task<IReadOnlyList<GatewayRecord>> ReadAsync(
        NpgsqlConnection connection, IReadOnlyCollection<GatewayId> gateways, CancellationToken cancellationToken)
    {
        var records = gateways.Distinct().ToDictionary(g => g.Value, g => new Rows(g));
        var names = records.Keys.ToArray();
        // It only reads, in one round trip, so it holds nothing that others wait for.
        await using var transaction = await connection.BeginTransactionAsync(
            System.Data.IsolationLevel.RepeatableRead, cancellationToken);
        await using (var batch = new NpgsqlBatch(connection))
        {
            foreach (var sql in Queries)
            {
                batch.BatchCommands.Add(new NpgsqlBatchCommand(sql)
                {
                    Parameters =
                    {
                        new NpgsqlParameter { Value = names, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
                    },
                });
            }

            await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
            foreach (var read in (Action<NpgsqlDataReader, Rows>[])
                [ReadGateway, ReadEpoch, ReadLane, ReadRun, ReadOutbox, ReadAlertState, ReadWaiting])
            {
                while (await reader.ReadAsync(cancellationToken))
                {
                    read(reader, records[reader.GetString(0)]);
                }

                await reader.NextResultAsync(cancellationToken);
            }
        }

        await transaction.CommitAsync(cancellationToken);
        return [.. gateways.Select(g => records[g.Value].ToRecord())];
    }

    private static void ReadGateway(NpgsqlDataReader reader, Rows rows) => rows.Gateway = new GatewayRow(
        rows.Id, reader.GetInt32(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetInt64(4), reader.GetInt64(5),
        reader.IsDBNull(6) ? long.MinValue : ColumnValues.Micros(reader.GetDateTime(6)), reader.GetString(7))
    {
        ForkResolved = reader.GetString(8),
        OpenWindows = reader.IsDBNull(9)
            ? OpenSpan.None
            : new OpenSpan(ColumnValues.Micros(reader.GetDateTime(9)), ColumnValues.Micros(reader.GetDateTime(10))),
    };

    private static void ReadEpoch(NpgsqlDataReader reader, Rows rows)
    {
        Predecessor? predecessor = reader.IsDBNull(2)
            ? null
            : new Predecessor((ulong)reader.GetInt64(2), ReadLasts(reader, 3));
        rows.Epochs.Add(new EpochLedgerRow(
            rows.Id, (ulong)reader.GetInt64(1), predecessor, reader.GetBoolean(6), ReadLasts(reader, 7),
            reader.IsDBNull(10) ? null : (ulong)reader.GetInt64(10)));
    }

    private static void ReadLane(NpgsqlDataReader reader, Rows rows) => rows.Lanes.Add(new LaneLedgerRow(
        rows.Id, (ulong)reader.GetInt64(1), (Lane)reader.GetInt16(2), reader.GetInt64(3), (ulong)reader.GetInt64(4)));

    private static void ReadRun(NpgsqlDataReader reader, Rows rows) => rows.Runs.Add(new RunRow(
        rows.Id, (ulong)reader.GetInt64(1), (Lane)reader.GetInt16(2), new SettledRun(
            new SequenceRange(reader.GetInt64(3), reader.GetInt64(4)),
            (RunState)reader.GetInt16(5),
            (ulong)reader.GetInt64(6))));

    private static void ReadOutbox(NpgsqlDataReader reader, Rows rows) =>
        rows.Outboxes.Add(new OutboxRow(rows.Id, (ulong)reader.GetInt64(1), reader.GetInt64(2)));

    private static void ReadAlertState(NpgsqlDataReader reader, Rows rows) => rows.AlertStates.Add(new AlertStateRow(
        new AlertStateId(rows.Id, reader.GetString(1), ColumnValues.Identity(reader.GetFieldValue<byte[]>(2))),
        (ulong)reader.GetInt64(3),
        new RuleState(
            (AlertPhase)reader.GetInt16(4), ColumnValues.Hash(reader.GetFieldValue<byte[]>(5)), reader.GetInt64(6),
            reader.GetInt64(8), reader.GetDouble(9), reader.GetInt64(7))
        {
            Memory = new MeasureMemory(reader.GetInt64(13), reader.GetDouble(14)),
        })
    {
        Gap = reader.IsDBNull(10) ? null
            : new AlertGap(
                reader.GetInt64(10), reader.GetInt64(11),
                reader.IsDBNull(12) ? null : AlertCheckpoint.Read(reader.GetFieldValue<byte[]>(12))),
    });

    private static void ReadWaiting(NpgsqlDataReader reader, Rows rows) => rows.Waiting.Add((
        new WaitingId(
            rows.Id, SchemaId.Read(reader.GetFieldValue<byte[]>(1)), (ulong)reader.GetInt64(2)),
        reader.GetInt32(3)));

    private static LaneLasts ReadLasts(NpgsqlDataReader reader, int column) =>
        new(reader.GetInt64(column), reader.GetInt64(column + 1), reader.GetInt64(column + 2));

    private sealed class Rows(GatewayId id)
    {
        public GatewayId Id { get; } = id;

        public GatewayRow? Gateway { get; set; }

        public List<EpochLedgerRow> Epochs { get; } = [];

        public List<LaneLedgerRow> Lanes { get; } = [];

        public List<RunRow> Runs { get; } = [];

        public List<OutboxRow> Outboxes { get; } = [];

        public List<AlertStateRow> AlertStates { get; } = [];

        public List<(WaitingId Id, int Bytes)> Waiting { get; } = [];

        public GatewayRecord ToRecord() =>
            new(Gateway, Id, Epochs, Lanes, Runs, Outboxes, AlertStates) { Waiting = Waiting };
    }
}
