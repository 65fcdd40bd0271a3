namespace Telemetry.Edge.Outbox.Offers;

/// <summary>Why an offer was refused.</summary>
public enum OfferRefusal
{
    /// <summary>The offer was not refused.</summary>
    None = 0,

    /// <summary>The outbox is at its quota: try again when the link has drained it.</summary>
    Quota,

    /// <summary>A reading is invalid: the same offer is refused again.</summary>
    Invalid,

    /// <summary>Too many readings wait for the disk: try again.</summary>
    Overload,

    /// <summary>
    /// Too many requests are remembered (<see cref="OutboxOptions.RequestsFull"/>): try again later, or without a key.
    /// </summary>
    Requests,

    /// <summary>The disk is full, read-only or failing; nothing was stored: try again later.</summary>
    Disk,

    /// <summary>
    /// The disk failed in the middle of the commit. Nothing was acknowledged, but it is unknown whether the readings
    /// are durable after a loss of power: repeat the offer with a key.
    /// </summary>
    Unknown,
}

/// <summary>
/// The outcome of an offer: all of it is durable, or nothing of it was taken. <paramref name="Row"/> is the row of the
/// invalid reading, otherwise -1.
/// </summary>
public readonly record struct OfferOutcome(OfferRefusal Refusal, int Row, string Reason)
{
    /// <summary>All readings are durable.</summary>
    public static readonly OfferOutcome Accepted = new(OfferRefusal.None, -1, "");

    /// <summary>True when all readings are durable.</summary>
    public bool IsAccepted => Refusal == OfferRefusal.None;

    internal static OfferOutcome Refused(OfferRefusal refusal, string reason, int row = -1) =>
        new(refusal, row, reason);
}
