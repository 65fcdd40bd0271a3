using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Schemas;

namespace Telemetry.Edge.Outbox.Frames;

/// <summary>The state of a frame's delivery; kept in memory, by the uplink alone.</summary>
public enum DeliveryState
{
    /// <summary>It must be sent, or sent again.</summary>
    ToSend,

    /// <summary>It was sent and has no PUBACK yet.</summary>
    Sending,

    /// <summary>It has a PUBACK with a receipt, and waits for its stored-ack.</summary>
    Receipted,

    /// <summary>It has a PUBACK without a receipt.</summary>
    Unreceipted,
}

/// <summary>
/// One sealed frame that is not freed. Its content belongs to the outbox, the state of its delivery to the uplink.
/// </summary>
public sealed class HeldFrame
{
    private HeldFrame? _next;
    private HeldFrame? _previous;

    internal HeldFrame(FrameRow row, long epochOrder, bool sealedByThisRun)
    {
        Key = row.Key;
        Dropped = row.Dropped;
        Checksum = row.Checksum;
        Schema = row.Schema;
        Bytes = row.Bytes;
        Held = row.Held;
        Receipt = row.Receipt;
        Series = row.Series;
        TimeFirst = row.TimeFirst;
        TimeLast = row.TimeLast;
        EpochOrder = epochOrder;
        SealedByThisRun = sealedByThisRun;
        ReachedLog = !sealedByThisRun;
        State = row.Receipt is null ? DeliveryState.ToSend : DeliveryState.Receipted;
    }

    /// <summary>Epoch, lane, first sequence, count.</summary>
    public FrameKey Key { get; }

    /// <summary>The frame's identity in the outbox.</summary>
    public FrameId Id => new(Key.Epoch, Key.Lane, Key.First);

    /// <summary>How many of its sequences are declared as dropped.</summary>
    public int Dropped { get; }

    /// <summary>The checksum at its end.</summary>
    public ulong Checksum { get; }

    /// <summary>The schema that it names.</summary>
    public SchemaId Schema { get; }

    /// <summary>Its size.</summary>
    public int Bytes { get; }

    /// <summary>False when its bytes are missing (quota, damage): the cloud has it, or it is lost.</summary>
    public bool Held { get; internal set; }

    /// <summary>Its place in the log, by the last receipt that was recorded.</summary>
    public Receipt? Receipt { get; internal set; }

    /// <summary>The least event time that it covers.</summary>
    public long TimeFirst { get; }

    /// <summary>The greatest event time that it covers.</summary>
    public long TimeLast { get; }

    /// <summary>
    /// True after it was freed, forgotten or replaced by a tombstone: it is no longer in <see
    /// cref="ReadingOutbox.Held"/>.
    /// </summary>
    public bool Freed { get; internal set; }

    /// <summary>Owned by the uplink: the state of the delivery.</summary>
    public DeliveryState State { get; set; }

    /// <summary>Owned by the uplink: the attempts of this process.</summary>
    public int Attempts { get; set; }

    /// <summary>Owned by the uplink: the receipt's sequence when the newest hello was sent.</summary>
    public long ReceiptAtHello { get; set; }

    /// <summary>Owned by the uplink: when it was last sent, as a timestamp of the clock.</summary>
    public long SentAtTimestamp { get; set; }

    /// <summary>
    /// Owned by the uplink: an attempt got a receipt, or its outcome is unknown, so the log may have the frame.
    /// </summary>
    public bool ReachedLog { get; set; }

    /// <summary>
    /// Owned by the uplink: the cloud has other content in its place. It is shown, and not sent again while this is so.
    /// </summary>
    public bool Forked { get; set; }

    /// <summary>Owned by the uplink: it cannot be read. It is shown, and not sent again by this process.</summary>
    public bool IsUnreadable { get; set; }

    /// <summary>Owned by the uplink: how often it was refused for a fault of its own.</summary>
    public int Refusals { get; set; }

    internal int Series { get; }

    internal long EpochOrder { get; }

    internal bool SealedByThisRun { get; }

    internal HeldFrame? Next => NextLink;

    internal HeldFrame? Previous => PreviousLink;

    internal ref HeldFrame? NextLink => ref _next;

    internal ref HeldFrame? PreviousLink => ref _previous;

    internal FrameRow Facts() => new(
        Key, Dropped, Checksum, Schema, Bytes, Held, Receipt, Series, TimeFirst, TimeLast, default, default);
}
