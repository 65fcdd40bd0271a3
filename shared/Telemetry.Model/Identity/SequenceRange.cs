namespace Telemetry.Model.Identity;

/// <summary>Consecutive sequences from <paramref name="First"/> to <paramref name="Last"/>, both included.</summary>
public readonly record struct SequenceRange(long First, long Last)
{
    /// <summary>How many sequences it covers.</summary>
    public long Count => Last - First + 1;

    /// <summary>True when the two share a sequence.</summary>
    public bool Overlaps(SequenceRange other) => First <= other.Last && other.First <= Last;

    /// <summary>True when <paramref name="other"/> lies completely inside.</summary>
    public bool Contains(SequenceRange other) => First <= other.First && other.Last <= Last;
}
