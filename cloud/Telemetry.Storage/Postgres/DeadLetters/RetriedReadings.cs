using Npgsql;
using NpgsqlTypes;
using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Storage.Postgres.Alerts;
using Telemetry.Storage.Postgres.Commit;
using Telemetry.Storage.Postgres.Readings;
using Telemetry.Storage.Postgres.Statements;
using Telemetry.Storage.Postgres.Windows;
using Telemetry.Storage.Windows;

namespace Telemetry.Storage.Postgres.DeadLetters;

/// <summary>
/// Stores the readings of dead letters of one gateway, with the parts of their windows. A part of a window that is
/// complete gets a revision that names the letter's frame. The parts of windows that are still in the owner's memory
/// need no care: the owner finds the partition's row changed, and folds these windows anew from the readings. Alert
/// rules are run again by the owner: a reading makes a gap of the rules that watch its series.
/// </summary>
internal static class RetriedReadings
{
    // The row's lock: the watermark must stand still until the revisions are committed.
    private const string WatermarkSql = "SELECT watermark FROM telemetry.gateway WHERE gateway = $1 FOR UPDATE";

    /// <summary>Runs in a transaction that holds the partition.</summary>
    public static async Task StoreAsync(
        NpgsqlConnection connection, string gateway, IReadOnlyList<(FrameKey Frame, LetterContent Content)> letters,
        CancellationToken cancellationToken)
    {
        var commit = new StoreCommit();
        foreach (var letter in letters)
        {
            commit.Readings.AddAll(letter.Content.Readings);
        }

        await NumberAsync(connection, commit.Readings, cancellationToken);
        var watermark = await WatermarkAsync(connection, gateway, cancellationToken);
        var widths = new WindowWidths(await WidthTable.ReadAsync(connection, cancellationToken));
        Fold(GatewayId.Parse(gateway), watermark, letters, widths, commit);
        var statements = new ReadingStatements(await ReadingTable.FindAsync(connection, cancellationToken));
        await using (var batch = new NpgsqlBatch(connection))
        {
            statements.AddTo(batch, commit);
            if (batch.BatchCommands.Count > 0)
            {
                await batch.ExecuteNonQueryAsync(cancellationToken);
            }
        }

        await statements.CopyAsync(connection, commit, cancellationToken);
        await AlertGaps.MarkAsync(connection, gateway, commit.Readings, cancellationToken);
    }

    private static void Fold(
        GatewayId gateway, long watermark, IEnumerable<(FrameKey Frame, LetterContent Content)> letters,
        WindowWidths widths, StoreCommit commit)
    {
        var parts = new ImmediateParts(new PartPool());
        foreach (var frame in letters.GroupBy(l => l.Frame, l => l.Content.Readings))
        {
            parts.Begin(gateway, frame.Key, watermark, RevisionCause.Retried);
            foreach (var rows in frame)
            {
                for (var row = 0; row < rows.Count; row++)
                {
                    var (series, time) = (rows.Series[row], rows.Times[row]);
                    parts.Find(series, widths.Of(series.Definition.Metric, time))
                        .Add(time, rows.Flags[row], rows.Bits[row], rows.HashOf(row));
                }
            }

            parts.End();
        }

        parts.WriteTo(commit);
    }

    // The database may have refused some of these series when they were registered. Looked up each time: a transaction
    // that was rolled back has undone their numbers.
    private static Task NumberAsync(
        NpgsqlConnection connection, ReadingBuffer rows, CancellationToken cancellationToken)
    {
        var series = new HashSet<SeriesEntry>();
        foreach (var entry in rows.Series)
        {
            series.Add(entry);
        }

        return SeriesStatements.RegisterAsync(connection, [.. series.Select(s => (s, false))], cancellationToken);
    }

    private static async Task<long> WatermarkAsync(
        NpgsqlConnection connection, string gateway, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(WatermarkSql, connection);
        command.Parameters.Add(new NpgsqlParameter { Value = gateway, NpgsqlDbType = NpgsqlDbType.Text });
        return await command.ExecuteScalarAsync(cancellationToken) is DateTime watermark
            ? ColumnValues.Micros(watermark) : long.MinValue;
    }
}
