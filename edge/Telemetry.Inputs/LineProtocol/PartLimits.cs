namespace Telemetry.Inputs.LineProtocol;

/// <summary>
/// What is decoded at once at most, so that it can be stored together. A line that is more than that may be decoded
/// alone, up to limits of its own; beyond those it is refused.
/// </summary>
/// <param name="Lines">Lines that are read, bad ones too.</param>
/// <param name="Readings">Readings of several lines.</param>
/// <param name="LineReadings">Readings of one line, not less.</param>
/// <param name="Bytes">Bytes of readings, as the outbox counts them, of several lines or one.</param>
internal readonly record struct PartLimits(int Lines, int Readings, int LineReadings, long Bytes)
{
    public static readonly PartLimits None = new(int.MaxValue, int.MaxValue, int.MaxValue, long.MaxValue);

    /// <summary>True when one line may have so many readings of so many bytes.</summary>
    public bool AllowLine(int readings, long bytes) => readings <= LineReadings && bytes <= Bytes;

    /// <summary>True when so many readings of so many bytes, of several lines, can be stored together.</summary>
    public bool Allow(int readings, long bytes) => readings <= Readings && bytes <= Bytes;
}
