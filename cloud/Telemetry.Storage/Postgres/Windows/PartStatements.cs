using System.Globalization;
using Npgsql;
using Telemetry.Storage.Postgres.Statements;
using Telemetry.Storage.Windows;

namespace Telemetry.Storage.Postgres.Windows;

/// <summary>Writes parts of windows and revisions, and removes the parts that an owner folds anew.</summary>
internal sealed class PartStatements
{
    // TimescaleDB moves rows of compressed chunks into row form before it deletes any. Of a condition it uses literals
    // alone for that: without the span as two literals it would move all rows of all chunks.
    private const string RemoveSql = """
        DELETE FROM telemetry.window_part p
        USING unnest($1, $2, $3, $4) u(gateway, first, last, watermark) JOIN telemetry.series s USING (gateway)
        WHERE p.series = s.id AND p.start >= u.first AND p.start < u.last
            AND p.start + make_interval(secs => p.width) <= u.last
            AND (u.watermark IS NULL OR p.start + make_interval(secs => p.width) > u.watermark)
        """;

    // By default it refuses to move more than 100,000 rows. After an outage of days the span may be in a compressed
    // chunk: then the owner has to remove the parts all the same. Without TimescaleDB nothing has a setting of this name.
    private const string UnlimitedSql = "SET LOCAL timescaledb.max_tuples_decompressed_per_dml_transaction = 0";

    private readonly RowsStatement _remove = new(RemoveSql);
    private readonly NpgsqlBatchCommand _unlimited = new(UnlimitedSql);
    private readonly RowsStatement _revisions = new("""
        INSERT INTO telemetry.window_revision (series, start, width, cause, gateway, epoch, lane, first, count, readings,
            numbers, sum, at)
        SELECT u.*, now() FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            u(series, start, width, cause, gateway, epoch, lane, first, count, readings, numbers, sum)
        """);

    private readonly PartEncoder _encoder = new();
    private readonly Action<StoreCommit> _fill;

    public PartStatements() => _fill = Removals() + Revisions();

    public void AddTo(NpgsqlBatch batch, StoreCommit commit)
    {
        _remove.Clear();
        _revisions.Clear();
        _fill(commit);
        if (commit.RemovedParts.Count > 0)
        {
            batch.BatchCommands.Add(_unlimited);
            _remove.Sql = $"{RemoveSql} AND p.start >= {Literal(commit.RemovedParts.Min(removal => removal.Span.From))} "
                + $"AND p.start < {Literal(commit.RemovedParts.Max(removal => removal.Span.To))}";
        }

        _remove.AddTo(batch);
        _revisions.AddTo(batch);
    }

    /// <summary>Writes parts, after those that <see cref="AddTo"/> removes.</summary>
    public async Task CopyAsync(
        NpgsqlConnection connection, List<WindowPart> parts, int timeoutMillis, CancellationToken cancellationToken)
    {
        // Disposed only when everything was sent: disposing it ends the COPY as if it were complete.
        var copy = await connection.BeginRawBinaryCopyAsync(PartEncoder.CopySql, cancellationToken);
        copy.ReadTimeout = copy.WriteTimeout = timeoutMillis;
        _encoder.Begin();
        while (_encoder.Next(parts) is { IsEmpty: false } chunk)
        {
            await copy.WriteAsync(chunk, cancellationToken);
        }

        await copy.DisposeAsync();
    }

    private static string Literal(long micros) => string.Create(
        CultureInfo.InvariantCulture, $"timestamptz '{ColumnValues.Time(micros):yyyy-MM-dd HH:mm:ss.ffffff}Z'");

    private Action<StoreCommit> Removals()
    {
        var (gateway, first, last) = (_remove.Texts(), _remove.Times(), _remove.Times());
        var watermark = _remove.Column<DateTime?>(NpgsqlTypes.NpgsqlDbType.TimestampTz);
        return commit =>
        {
            foreach (var row in commit.RemovedParts)
            {
                gateway.Add(row.Gateway.Value);
                first.Add(ColumnValues.Time(row.Span.From));
                last.Add(ColumnValues.Time(row.Span.To));
                watermark.Add(row.Watermark == long.MinValue ? null : ColumnValues.Time(row.Watermark));
            }
        };
    }

    private Action<StoreCommit> Revisions()
    {
        var (series, start, width) = (_revisions.Integers(), _revisions.Times(), _revisions.Integers());
        var cause = _revisions.Small();
        var key = new FrameKeyColumns(_revisions);
        var (readings, numbers) = (_revisions.Integers(), _revisions.Integers());
        var sum = _revisions.Column<double?>(NpgsqlTypes.NpgsqlDbType.Double);
        return commit =>
        {
            foreach (var row in commit.Revisions)
            {
                series.Add(row.Part.Series.Number);
                start.Add(ColumnValues.Time(row.Part.Start));
                width.Add(row.Part.WidthSeconds);
                cause.Add((short)row.Cause);
                key.Add(row.Gateway, row.Frame);
                readings.Add(row.Part.Count);
                numbers.Add(row.Part.Values);
                sum.Add(row.Part.Values > 0 && row.Part.HasNumbers ? row.Part.Sum : null);
            }
        };
    }
}
