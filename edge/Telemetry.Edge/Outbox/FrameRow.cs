using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Schemas;

namespace Telemetry.Edge.Outbox;

/// <summary>Names a frame in the outbox: its epoch, lane and first sequence.</summary>
public readonly record struct FrameId(ulong Epoch, Lane Lane, long First);

/// <summary>
/// A sealed frame that is still held. <paramref name="Held"/> false: its bytes went at the quota (it has a receipt) or
/// are damaged, its header stays. <paramref name="Series"/>, times and <paramref name="Counts"/> say what to declare
/// should the bytes be damaged. <paramref name="Data"/> and <paramref name="Counts"/> are empty in an image.
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
    /// <summary>The frame's name in the outbox.</summary>
    public FrameId Id => new(Key.Epoch, Key.Lane, Key.First);
}

/// <summary>A frame that the cloud refused for a fault of its own: its bytes and why. Kept for an operator.</summary>
public sealed record QuarantineRow(FrameKey Key, string Reason, long AtMicros, ReadOnlyMemory<byte> Data)
{
    /// <summary>The most rows kept; the oldest ones go.</summary>
    public const int RowsMax = 64;
}
