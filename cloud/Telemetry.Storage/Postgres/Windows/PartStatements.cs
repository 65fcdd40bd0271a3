using Npgsql;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.Windows;

/// <summary>Writes revisions of complete windows, and removes the parts that an owner folds anew.</summary>
internal sealed class PartStatements
{
    private readonly RowsStatement _remove = new("SELECT telemetry.remove_parts($1, $2, $3, $4)");

    private readonly RowsStatement _revisions = new("""
        INSERT INTO telemetry.window_revision (series, start, width, cause, gateway, epoch, lane, first, count,
            readings, numbers, sum, at)
        SELECT u.*, now() FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            u(series, start, width, cause, gateway, epoch, lane, first, count, readings, numbers, sum)
        """);

    private readonly Action<StoreCommit> _fill;

    public PartStatements() => _fill = Removals() + Revisions();

    public void AddTo(NpgsqlBatch batch, StoreCommit commit)
    {
        _remove.Clear();
        _revisions.Clear();
        _fill(commit);
        _remove.AddTo(batch);
        _revisions.AddTo(batch);
    }

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
