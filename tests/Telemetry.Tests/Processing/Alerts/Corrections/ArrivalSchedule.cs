using Telemetry.Model.Identity;

namespace Telemetry.Tests.Processing.Alerts.Corrections;

/// <summary>How the readings of a schedule arrive.</summary>
internal enum ArrivalKind
{
    AllLive,
    AllLate,
    Mixed,
    Interleaved,
    Doubled,
    Recovered,
}

/// <summary>A reading of a schedule.</summary>
internal readonly record struct ArrivingReading(long Time, double Value);

/// <summary>A frame of a schedule: when it arrives, and the W of its promise if it has one.</summary>
internal sealed record ArrivingFrame(Lane Lane, IReadOnlyList<ArrivingReading> Readings, long At, long? Promised);

/// <summary>
/// One random history of a series, cut into frames that arrive in a random order: outages whose backlog drains beside
/// live frames, frames that are swapped, doubled, or come after the watermark has passed them. By seed.
/// </summary>
internal sealed class ArrivalSchedule
{
    public const long Second = 1_000_000;
    public const long Minute = 60 * Second;
    private const long Start = 1_767_225_600 * Second;
    private static readonly double[] Values = [1, 3, 7, 8, 11, 15, 30];

    private readonly Random _random;
    private readonly List<ArrivingReading> _readings = [];

    public ArrivalSchedule(int seed)
    {
        _random = new Random(seed);
        (Kind, Measure) = ((ArrivalKind)(seed % 6), _random.Next(4));
        For = _random.Next(3) * 20 * Second;
        var (time, value) = (Start, 1.0);
        for (var i = 0; i < 40 + _random.Next(80); i++)
        {
            time += (1 + _random.Next(20)) * Second;
            value = _random.Next(3) == 0 ? value : Values[_random.Next(Values.Length)];
            _readings.Add(new ArrivingReading(time, value));
        }
    }

    public ArrivalKind Kind { get; }

    /// <summary>The kind of rule.</summary>
    public int Measure { get; }

    /// <summary>The rule's <c>for</c>.</summary>
    public long For { get; }

    /// <summary>All readings, in the order of event time.</summary>
    public IReadOnlyList<ArrivingReading> Readings => _readings;

    /// <summary>The frames in the order of their arrival.</summary>
    public List<ArrivingFrame> Frames()
    {
        var end = _readings[^1].Time;
        var outages = Outages();
        var live = new List<ArrivingFrame>();
        var backlog = new List<ArrivingFrame>();
        for (var at = 0; at < _readings.Count;)
        {
            var isLate = outages[at];
            var count = 1;
            while (count < 6 && at + count < _readings.Count && outages[at + count] == isLate && _random.Next(3) > 0)
            {
                count++;
            }

            var readings = _readings.GetRange(at, count);
            at += count;
            if (isLate)
            {
                backlog.Add(new ArrivingFrame(Lane.Backlog, readings, end + 30 * Minute, null));
            }
            else
            {
                live.Add(new ArrivingFrame(Lane.Live, readings, readings[^1].Time + Second, 0));
            }
        }

        return Doubled(Promised(Ordered(live, backlog)));
    }

    private bool[] Outages()
    {
        var late = new bool[_readings.Count];
        for (var n = Kind == ArrivalKind.AllLive ? 0 : 1 + _random.Next(3); n > 0; n--)
        {
            var from = _random.Next(_readings.Count);
            Array.Fill(late, true, from, Math.Min(late.Length - from, 3 + _random.Next(30)));
        }

        if (Kind == ArrivalKind.AllLate)
        {
            Array.Fill(late, true);
        }

        return late;
    }

    // Live frames keep their order; backlog frames come between those that follow, in order or not.
    private List<ArrivingFrame> Ordered(List<ArrivingFrame> live, List<ArrivingFrame> backlog)
    {
        var isSwapped = Kind is ArrivalKind.Interleaved or ArrivalKind.Recovered || _random.Next(2) == 0;
        if (isSwapped)
        {
            for (var i = backlog.Count - 1; i > 0; i--)
            {
                var other = _random.Next(i + 1);
                (backlog[i], backlog[other]) = (backlog[other], backlog[i]);
            }
        }

        var all = new List<ArrivingFrame>(live);
        if (Kind == ArrivalKind.Interleaved && all.Count > 3)
        {
            // A live frame is overtaken by its successor.
            var swapped = _random.Next(all.Count - 1);
            (all[swapped], all[swapped + 1]) = (all[swapped + 1], all[swapped]);
        }

        var least = 0;
        foreach (var frame in backlog)
        {
            var after = all.FindLastIndex(f => f.Lane == Lane.Live && f.Readings[0].Time < frame.Readings[0].Time) + 1;
            var place = _random.Next(Math.Max(after, isSwapped ? 0 : least), all.Count + 1);
            all.Insert(place, frame);
            least = isSwapped ? 0 : place + 1;
        }

        return all;
    }

    // W is not beyond what has not arrived; a frame that is recovered was lost by then.
    private List<ArrivingFrame> Promised(List<ArrivingFrame> frames)
    {
        var lost = Kind == ArrivalKind.Recovered
            ? frames.Where(f => f.Lane == Lane.Backlog && _random.Next(3) == 0).ToHashSet() : [];
        frames = [.. frames.Where(f => !lost.Contains(f)), .. lost];
        var now = long.MinValue;
        for (var i = 0; i < frames.Count; i++)
        {
            var frame = frames[i];
            now = Math.Max(now, frame.Lane == Lane.Live ? frame.At : frame.Readings[^1].Time + 20 * Minute);
            var rest = frames.Skip(i).Where(f => !lost.Contains(f)).SelectMany(f => f.Readings).Select(r => r.Time);
            frames[i] = frame with
            {
                At = now,
                Promised = frame.Lane == Lane.Live
                    ? Math.Min(rest.DefaultIfEmpty(long.MaxValue).Min(), now - 2 * Second) : null,
            };
        }

        return frames;
    }

    private List<ArrivingFrame> Doubled(List<ArrivingFrame> frames) => Kind == ArrivalKind.Doubled
        ? [.. frames.SelectMany(f => _random.Next(4) == 0 ? new[] { f, f } : [f])] : frames;
}
