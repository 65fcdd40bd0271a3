using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Processing;
using Telemetry.Processing.Windows;
using Telemetry.Storage.Windows;
using Telemetry.TestKit.Simulated;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.Processing.Windows;

/// <summary>
/// A random schedule of two gateways: frames that come late, twice, in another order, in three lanes and several
/// epochs; tombstones; losses that turn up after all; readings that the database refuses; transactions whose answer is
/// lost; processors that are killed; parts of complete windows that are merged. At the end everything has arrived and
/// every window is complete.
/// </summary>
internal sealed class WindowSchedule
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1), Minute = TimeSpan.FromMinutes(1);

    private readonly Random _random, _mergeRandom;
    private readonly Pump _pump;
    private readonly WindowStand _stand;
    private readonly ScheduledAgent[] _agents;
    private bool _fails;

    public WindowSchedule(int seed)
    {
        (_random, _mergeRandom) = (new Random(seed), new Random(seed));
        _pump = new Pump();
        Widths = RandomWidths();
        _stand = new WindowStand(_pump, _random, RandomOptions());
        _stand.Store.Content = _stand.Store.Content with { Widths = [.. Widths.All] };
        _agents =
        [
            .. ((string[])["gw-1", "gw-2"]).Select(
                g => new ScheduledAgent(GatewayId.Parse(g), _stand, new Random(_random.Next()))),
        ];
        Judge = new WindowVerdict(Widths, [.. _agents.SelectMany(a => a.Series)]);
        _stand.Store.Committed = (commit, before, _) => Judge.Committed(commit, before, _stand.Store.Content);
        _stand.Store.Calls.LosesRequest = what => _fails && what == "commit" && _random.Next(4) == 0;
        _stand.Store.Calls.LosesAnswer = what => _fails && what == "commit" && _random.Next(4) == 0;
        if (_random.Next(4) == 0)
        {
            _stand.Store.Refuses = c =>
                c.Readings.Times.ToArray().Any(t => t % 41 == 0) ? "23514 the time is refused" : null;
        }
    }

    public WindowWidths Widths { get; }

    public WindowVerdict Judge { get; }

    public SimulatedDatabase Content => _stand.Store.Content;

    /// <summary>How many windows had parts that were merged.</summary>
    public int Merged { get; private set; }

    /// <summary>Runs to the end and says what is wrong; nothing when all is well.</summary>
    public IReadOnlyList<string> Run()
    {
        _pump.Run(RunAsync);
        return [.. Judge.Findings, .. Judge.AtTheEnd(_stand.Store.Content)];
    }

    private async Task RunAsync()
    {
        await _stand.StartAsync();
        foreach (var agent in _agents)
        {
            await agent.SendSchemaAsync();
        }

        for (var step = _random.Next(10, 60); step > 0; step--)
        {
            await ActAsync(_agents[_random.Next(_agents.Length)]);
            await _stand.WaitAsync(Second * (_random.NextDouble() * (_random.Next(3) == 0 ? 8 : 0.1)));
            await _stand.LookAsync();
            if (_mergeRandom.Next(4) == 0)
            {
                MergeParts();
            }
        }

        await EndAsync();
    }

    private async Task ActAsync(ScheduledAgent agent)
    {
        switch (_random.Next(24))
        {
            case < 8:
                agent.Seal(Lane.Live, TimeSpan.Zero, Second * _random.Next(1, 5));
                await SendAsync(agent);
                break;
            case 8 or 9:
                agent.Seal(Lane.Live, TimeSpan.Zero, Second * 3);
                break;
            case 10 or 11 or 12:
                agent.Seal(Lane.Backlog, Second * _random.Next(90), Minute);
                break;
            case 13:
                agent.Seal(Lane.Critical, TimeSpan.Zero, Second * 5);
                await SendAsync(agent);
                break;
            case 14:
                agent.Seal(Lane.Live, Second * _random.Next(60), Minute);
                await SendAsync(agent);
                break;
            case 15:
                agent.SealTombstone((Lane)_random.Next(3));
                break;
            case 16 or 17:
                await SendAllAsync(agent);
                break;
            case 18:
                await agent.SendAgainAsync();
                break;
            case 19:
                await LoseAsync(agent);
                break;
            case 20:
                await FindAsync(agent);
                break;
            case 21:
                agent.Restart();
                break;
            case 22:
                await _stand.EndAsync(killed: _random.Next(3) > 0);
                await _stand.StartAsync();
                break;
            default:
                _fails = !_fails;
                break;
        }
    }

    private static async Task SendAsync(ScheduledAgent agent)
    {
        await agent.SendAsync(agent.Waiting[^1]);
        agent.Waiting.RemoveAt(agent.Waiting.Count - 1);
    }

    private async Task SendAllAsync(ScheduledAgent agent)
    {
        var frames = agent.Waiting.ToArray();
        _random.Shuffle(frames);
        agent.Waiting.Clear();
        foreach (var frame in frames)
        {
            await agent.SendAsync(frame);
        }
    }

    private async Task LoseAsync(ScheduledAgent agent)
    {
        agent.Lost.AddRange(agent.Waiting);
        agent.Waiting.Clear();
        await agent.SayAsync();
    }

    private static async Task FindAsync(ScheduledAgent agent)
    {
        foreach (var frame in agent.Lost)
        {
            await agent.SendAsync(frame);
        }
    }

    private async Task EndAsync()
    {
        _fails = false;
        foreach (var agent in _agents)
        {
            await SendAllAsync(agent);
            await FindAsync(agent);
            agent.Lost.Clear();
        }

        // Long enough for each message to be tried alone, and for windows to end.
        await _stand.WaitAsync(Minute * 6);
        foreach (var agent in _agents)
        {
            await agent.SayAsync();
            await _stand.WaitAsync(Second);
            agent.SealPromise();
            await SendAllAsync(agent);
        }

        await _stand.WaitAsync(Second * 30);
        await _stand.LookAsync();
    }

    // As upkeep does, except that it lets days pass first.
    private void MergeParts()
    {
        var content = Content;
        var merged = content.Parts.ToBuilder();
        foreach (var (key, parts) in content.Parts)
        {
            foreach (var window in parts.GroupBy(p => p.WidthSeconds).Where(w => w.Count() > 1))
            {
                var whole = new WindowPart().Begin(window.First());
                var watermark = content.Gateways[whole.Series.Gateway].Watermark;
                if (watermark < whole.End || watermark - whole.End < whole.Series.Definition.ExtraLatenessMicros)
                {
                    continue;
                }

                foreach (var part in window.Skip(1))
                {
                    whole.Merge(part);
                    whole.IsLate |= part.IsLate;
                }

                merged[key] = merged[key].RemoveAll(p => p.WidthSeconds == window.Key).Add(whole);
                Merged++;
            }
        }

        _stand.Store.Content = content with { Parts = merged.ToImmutable() };
    }

    private WindowWidths RandomWidths() => _random.Next(4) == 0
        ? WindowWidths.None
        : new WindowWidths(
        [
            new(new NamePattern("*"), WindowWidths.Allowed[_random.Next(9)], 0),
            new(
                new NamePattern("t*"), WindowWidths.Allowed[_random.Next(WindowWidths.Allowed.Count)], Micros(2026),
                HasQuantiles: true),
        ]);

    private ProcessorOptions RandomOptions() => new()
    {
        GatewaysMax = _random.Next(2) == 0 ? 1 : 100,
        GatherTime = TimeSpan.FromMilliseconds(_random.Next(2) * 50),
        RetryAfter = TimeSpan.FromMilliseconds(100),
        Windows = new WindowOptions
        {
            MemoryReach = Second * ((int[])[2, 20, 600])[_random.Next(3)],
            MemoryTime = Second * ((int[])[1, 5, 60])[_random.Next(3)],
            PartsMax = ((int[])[3, 200_000])[_random.Next(2)],
            RebuildTime = TimeSpan.FromMilliseconds(_random.Next(2) * 50),
        },
    };

    private static long Micros(int year) =>
        (new DateTime(year, 1, 1, 0, 0, 0, DateTimeKind.Utc) - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
}
