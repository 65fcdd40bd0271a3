using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Schemas;

namespace Telemetry.Edge.Outbox.Frames;

/// <summary>Where the sending of a frame stands; kept in memory by the uplink alone.</summary>
public enum DeliveryState
{
    /// <summary>To be sent, or sent again.</summary>
    ToSend,

    /// <summary>Sent, no PUBACK yet.</summary>
    Sending,

    /// <summary>PUBACK with a receipt: it waits for its stored-ack.</summary>
    Receipted,

    /// <summary>PUBACK without a receipt.</summary>
    Unreceipted,
}

/// <summary>
/// One sealed frame that is not freed. What it is belongs to the outbox; how its delivery stands belongs to the uplink.
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

    /// <summary>The frame's name in the outbox.</summary>
    public FrameId Id => new(Key.Epoch, Key.Lane, Key.First);

    /// <summary>How many of its sequences are declared dropped.</summary>
    public int Dropped { get; }

    /// <summary>The checksum at its end.</summary>
    public ulong Checksum { get; }

    /// <summary>The schema that it names.</summary>
    public SchemaId Schema { get; }

    /// <summary>Its size.</summary>
    public int Bytes { get; }

    /// <summary>False when its bytes are gone (quota, damage): the cloud has it, or it is lost.</summary>
    public bool Held { get; internal set; }

    /// <summary>Where it stands in the log, as the last noted receipt says.</summary>
    public Receipt? Receipt { get; internal set; }

    /// <summary>The least event time that it covers.</summary>
    public long TimeFirst { get; }

    /// <summary>The greatest event time that it covers.</summary>
    public long TimeLast { get; }

    /// <summary>
    /// True once it is freed, forgotten or replaced by a tombstone: it is in <see cref="ReadingOutbox.Held"/> no more.
    /// </summary>
    public bool Freed { get; internal set; }

    /// <summary>The uplink's: where sending stands.</summary>
    public DeliveryState State { get; set; }

    /// <summary>The uplink's: attempts by this process.</summary>
    public int Attempts { get; set; }

    /// <summary>The uplink's: the receipt's sequence when the newest hello was said.</summary>
    public long ReceiptAtHello { get; set; }

    /// <summary>The uplink's: when it was last sent, as a timestamp of the clock.</summary>
    public long SentAtTimestamp { get; set; }

    /// <summary>The uplink's: an attempt got a receipt, or its end is unknown: the log may have it.</summary>
    public bool ReachedLog { get; set; }

    /// <summary>
    /// The uplink's: the cloud has other content in its place: shown, and not sent again while that is so.
    /// </summary>
    public bool Forked { get; set; }

    /// <summary>The uplink's: it cannot be read: shown, and not sent again by this process.</summary>
    public bool IsUnreadable { get; set; }

    /// <summary>The uplink's: how often it was refused for a fault of its own.</summary>
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
