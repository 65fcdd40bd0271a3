using Telemetry.Model.Readings;

namespace Telemetry.Edge.Outbox.Frames;

/// <summary>A batch that can give its rows in the order (series, time). Reused from commit to commit.</summary>
internal sealed class SortedBatch
{
    private int[] _order = new int[256];

    public ReadingBatch Batch { get; } = new();

    /// <summary>The batch's rows in order; valid until the next call.</summary>
    public ReadOnlyMemory<int> Sorted()
    {
        if (_order.Length < Batch.Count)
        {
            _order = new int[Math.Max(Batch.Count, _order.Length * 2)];
        }

        Batch.Order(_order);
        return _order.AsMemory(0, Batch.Count);
    }
}
