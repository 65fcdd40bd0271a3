namespace Telemetry.Model.Identity;

/// <summary>The last sequence of each lane of one epoch; 0 for a lane without one.</summary>
public readonly record struct LaneLasts(long Critical, long Live, long Backlog)
{
    /// <summary>The last sequence of <paramref name="lane"/>.</summary>
    public long this[Lane lane] => lane switch
    {
        Lane.Critical => Critical,
        Lane.Live => Live,
        _ => Backlog,
    };

    /// <summary>The same with one lane's last sequence replaced.</summary>
    public LaneLasts With(Lane lane, long last) => lane switch
    {
        Lane.Critical => this with { Critical = last },
        Lane.Live => this with { Live = last },
        _ => this with { Backlog = last },
    };

    /// <summary>The greater of the two for each lane.</summary>
    public static LaneLasts Max(LaneLasts a, LaneLasts b) =>
        new(Math.Max(a.Critical, b.Critical), Math.Max(a.Live, b.Live), Math.Max(a.Backlog, b.Backlog));
}
