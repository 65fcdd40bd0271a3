namespace Telemetry.Edge.Inputs.LineProtocol;

/// <summary>
/// What is decoded at once at most, so that it can be stored together. A line that is more than that alone is refused.
/// </summary>
/// <param name="Lines">Lines that are read, bad ones too.</param>
/// <param name="Readings">Readings.</param>
/// <param name="Bytes">Bytes of readings, as the outbox counts them.</param>
internal readonly record struct PartLimits(int Lines, int Readings, long Bytes)
{
    public static readonly PartLimits None = new(int.MaxValue, int.MaxValue, long.MaxValue);

    /// <summary>True when so many readings of so many bytes can be stored together.</summary>
    public bool Allow(int readings, long bytes) => readings <= Readings && bytes <= Bytes;
}
