using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Schemas;

namespace Telemetry.Edge.Outbox;

/// <summary>Identifies a frame in the outbox: its epoch, lane and first sequence.</summary>
public readonly record struct FrameId(ulong Epoch, Lane Lane, long First);

/// <summary>
/// A sealed frame that is still in the outbox. <paramref name="Held"/> is false when its bytes were removed at the
/// quota (it has a receipt) or are damaged; its header stays. <paramref name="Series"/>, times and <paramref
/// name="Counts"/> describe what to declare if the bytes are damaged. <paramref name="Data"/> and <paramref
/// name="Counts"/> are empty in an image.
/// </summary>
public sealed record FrameRow(
    FrameKey Key,
    int Dropped,
    ulong Checksum,
    SchemaId Schema,
    int Bytes,
    bool Held,
    Receipt? Receipt,
    int Series,
    long TimeFirst,
    long TimeLast,
    ReadOnlyMemory<byte> Data,
    ReadOnlyMemory<byte> Counts)
{
    /// <summary>The frame's identity in the outbox.</summary>
    public FrameId Id => new(Key.Epoch, Key.Lane, Key.First);
}

/// <summary>
/// A frame that the cloud refused for a fault of its own: its bytes and the reason. Kept for an operator.
/// </summary>
public sealed record QuarantineRow(FrameKey Key, string Reason, long AtMicros, ReadOnlyMemory<byte> Data)
{
    /// <summary>The most rows that are kept; the oldest ones are removed.</summary>
    public const int RowsMax = 64;
}
