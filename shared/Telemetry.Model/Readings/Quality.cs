namespace Telemetry.Model.Readings;

/// <summary>How reliable a reading is, according to its source.</summary>
public enum Quality : byte
{
    /// <summary>A good reading.</summary>
    Good = 0,

    /// <summary>Accepted, but doubtful.</summary>
    Uncertain = 1,

    /// <summary>Known to be wrong, or missing.</summary>
    Bad = 2,
}

/// <summary>What a reading has besides its value: one byte in frames, in the outbox and in the database.</summary>
[Flags]
public enum ReadingFlags : byte
{
    /// <summary>Good quality, a value, a measured time.</summary>
    None = 0,

    /// <summary>The two bits of <see cref="Quality"/>.</summary>
    QualityMask = 3,

    /// <summary>The reading has no value (null).</summary>
    Null = 4,

    /// <summary>
    /// The event time was estimated, because the clock was not synchronised when the reading was taken.
    /// </summary>
    TimeEstimated = 8,

    /// <summary>All bits with a meaning.</summary>
    All = QualityMask | Null | TimeEstimated,
}
