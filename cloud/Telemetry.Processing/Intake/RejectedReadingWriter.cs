using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;
using Telemetry.Storage;

namespace Telemetry.Processing.Intake;

/// <summary>
/// Collects the readings of one frame that are rejected one by one. Up to <see cref="LettersOfFrameMax"/> each becomes
/// a dead letter of its own. Those beyond share one letter for each reason, stored as columns, so that a frame of 8,192
/// bad readings makes at most 259 rows and each reading is still kept bit for bit. Handles one frame at a time.
/// </summary>
internal sealed class RejectedReadingWriter
{
    /// <summary>The most letters of one frame that hold one reading each.</summary>
    public const int LettersOfFrameMax = 256;

    private readonly SortedDictionary<DeadLetterReason, (string Error, List<int> Rows)> _beyond = [];
    private readonly WireWriter _writer = new();

    /// <summary>The number of rejected readings.</summary>
    public int Count { get; private set; }

    /// <summary>Begins a frame.</summary>
    public void Clear()
    {
        Count = 0;
        _beyond.Clear();
    }

    /// <summary>Rejects a row.</summary>
    public void Add(
        StoreCommit commit, GatewayId gateway, FrameKey frame, ReadingBatch batch, int row, SeriesList series,
        DeadLetterReason reason, string error)
    {
        if (++Count <= LettersOfFrameMax)
        {
            var index = batch.Series[row];
            commit.DeadLetters.Add(new DeadLetterRow(
                gateway, frame, reason, error, 1, series.Entries[index].Identity, batch.Times[row],
                Value(batch, row, series.Types[index]))
            {
                Content = DeadLetterContent.Value,
                Flags = batch.Flags[row],
            });
            return;
        }

        if (!_beyond.TryGetValue(reason, out var shared))
        {
            _beyond.Add(reason, shared = (error, []));
        }

        shared.Rows.Add(row);
    }

    /// <summary>Adds the letters that several readings share.</summary>
    public void End(StoreCommit commit, GatewayId gateway, FrameKey frame, ReadingBatch batch, SeriesList series)
    {
        foreach (var (reason, (error, rows)) in _beyond)
        {
            _writer.Clear();
            ReadingColumns.Write(_writer, batch, rows.ToArray(), series.Types);
            commit.DeadLetters.Add(new DeadLetterRow(
                gateway, frame, reason,
                $"{rows.Count} readings beyond the first {LettersOfFrameMax} of the frame, the first: {error}",
                rows.Count, default, 0, _writer.ToArray())
            {
                Content = DeadLetterContent.Readings,
                Schema = series.Id,
            });
        }
    }

    private static byte[] Value(ReadingBatch batch, int row, MetricType type) =>
        (batch.Flags[row] & ReadingFlags.Null) != 0 ? []
        : type == MetricType.Text ? batch.Text(batch.Bits[row]).ToArray()
        : BitConverter.GetBytes(batch.Bits[row]);
}
