using Telemetry.Edge.Outbox.Offers;

namespace Telemetry.Edge.Outbox;

/// <summary>
/// One durable commit's readings, not sealed yet. <paramref name="Series"/> is one of its series, named in the
/// declaration if data and counts are both damaged. <paramref name="Data"/> (SegmentColumns) and <paramref
/// name="Counts"/> (<see cref="SeriesCounts"/>) are empty in an image.
/// </summary>
public sealed record SegmentRow(
    long Id, int Count, int Series, long TimeFirst, long TimeLast, int Bytes, ReadOnlyMemory<byte> Data,
    ReadOnlyMemory<byte> Counts);
