using Telemetry.Simulation.Checking;
using Telemetry.Simulation.Worlds;
using Telemetry.TestKit.Simulated;
using Telemetry.TestKit.Time;

namespace Telemetry.Simulation.Relays;

/// <summary>How often what happened in worlds of relays.</summary>
internal sealed class RelayTally
{
    public int Kills;
    public int PutBacks;
    public int LostCalls;
    public int Refused;
    public int Pauses;
    public long Records;
    public long Uncommitted;
    public long Orphans;
}

/// <summary>
/// Two relays over a simulated database and a simulated Kafka: they die at any await, calls and answers get lost,
/// commits are refused, leases are taken away, the database is put back more than once. Then everything heals, and G7
/// is checked.
/// </summary>
internal sealed class RelayWorld
{
    private const int Partitions = 3;
    private static readonly TimeSpan Busy = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan RestWithin = TimeSpan.FromMinutes(5);

    private readonly Pump _pump;
    private readonly Random _random;
    private readonly SimulatedStore _store;
    private readonly SimulatedAlertSink _sink;
    private readonly AlertWriter _writer;
    private readonly List<SimulatedDatabase> _copies = [];
    private readonly RelayTally _tally;
    private readonly bool _onlyLeases;
    private bool _faults = true;

    private RelayWorld(int seed, RelayParts parts, Pump pump, RelayTally tally)
    {
        _pump = pump;
        _tally = tally;
        _onlyLeases = parts.OnlyLeases;
        _random = new Random(seed);
        Trace = new Trace(pump.Clock);
        _store = new SimulatedStore(pump, new Random(_random.Next()));
        _sink = new SimulatedAlertSink(pump, new Random(_random.Next()));
        _writer = new AlertWriter(_store, new Random(_random.Next()), Partitions);
        // A slow Kafka in every other world: an older relay has time to commit while a younger one begins.
        _sink.Calls.LatencyMax = TimeSpan.FromMilliseconds(_random.Next(2) == 0 ? 3 : 80);
        var losing = _random.Next(3) * 0.004;
        var refusing = _random.Next(3) * 0.03;
        _store.Calls.LosesRequest = _sink.Calls.LosesRequest = _ => Chance(losing, ref _tally.LostCalls);
        _store.Calls.LosesAnswer = _sink.Calls.LosesAnswer = _ => Chance(losing, ref _tally.LostCalls);
        _sink.RefusesCommit = () => Chance(refusing, ref _tally.Refused);
        Relays = [.. Enumerable.Range(0, 2).Select(i => RelayMachine.Make(
            $"relay {i}", pump, Trace, new Random(_random.Next()), _store, _sink, parts))];
    }

    public Trace Trace { get; }

    public IReadOnlyList<Machine> Relays { get; }

    /// <summary>Runs a seed; what does not hold, and the last lines of its trace.</summary>
    public static (IReadOnlyList<string> Problems, string Story) Run(int seed, RelayParts parts, RelayTally tally)
    {
        var pump = new Pump(new PumpOptions { Order = new Random(seed), StepsMax = 3_000_000 });
        var world = new RelayWorld(seed, parts, pump, tally);
        try
        {
            var problems = pump.Run(world.RunAsync);
            return (problems, string.Join('\n', world.Trace.LastLines(40)));
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return ([$"the run ended: {e}"], string.Join('\n', world.Trace.LastLines(40)));
        }
    }

    private async Task<IReadOnlyList<string>> RunAsync()
    {
        var running = Relays.Select(r => r.RunAsync()).ToList();
        foreach (var relay in Relays)
        {
            relay.SwitchOn();
        }

        while (_pump.Clock.Elapsed < Busy)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(_random.Next(1, 400)), _pump.Clock);
            Strike();
            _writer.Write(newOnes: true);
        }

        _faults = false;
        Trace.Say("everything heals");
        while (_writer.IsBehind)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), _pump.Clock);
            _writer.Write(newOnes: false);
        }

        var rests = await RestsAsync();
        List<string> problems =
        [
            .. rests ? Array.Empty<string>() : [$"not at rest within {RestWithin}"],
            .. Check(),
            .. Relays.SelectMany(r => r.Errors),
            .. running.Where(r => r.IsFaulted).Select(r => $"the harness failed: {r.Exception}"),
        ];
        return problems;
    }

    private void Strike()
    {
        switch (_onlyLeases ? _random.Next(8, 12) : _random.Next(24))
        {
            case < 4:
                _tally.Kills++;
                Relays[_random.Next(Relays.Count)].Kill(TimeSpan.FromMilliseconds(_random.Next(1, 3000)));
                break;
            case 4 or 5 or 6:
                _copies.Add(_store.Content);
                break;
            case 7 when _copies.Count > 0:
                _tally.PutBacks++;
                var copy = _copies[_random.Next(_copies.Count)];
                Trace.Say(
                    $"the database is put back to {copy.AlertOutbox.Count} of {_store.Content.AlertOutbox.Count} rows");
                _writer.PutBack(copy);
                break;
            case 8 or 9:
                _tally.Pauses++;
                Trace.Say("the lease is anybody's");
                _store.Content = _store.Content with
                {
                    Relay = _store.Content.Relay with { Leases = _store.Content.Relay.Leases.Clear() },
                };
                break;
        }
    }

    private async Task<bool> RestsAsync()
    {
        for (var until = _pump.Clock.Elapsed + RestWithin; _pump.Clock.Elapsed < until;)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), _pump.Clock);
            if (PublishedAlerts.AreComplete(_sink, _store))
            {
                // Whoever would publish more has time to.
                await Task.Delay(TimeSpan.FromSeconds(20), _pump.Clock);
                return true;
            }
        }

        return false;
    }

    private IEnumerable<string> Check()
    {
        var ids = _sink.Committed.Select(r => r.Row.Id).ToList();
        _tally.Records += ids.Count;
        _tally.Uncommitted += _sink.Uncommitted.Count();
        _tally.Orphans += ids.Except(_store.Content.AlertOutbox.Values.Select(r => r.Id)).Count();
        return PublishedAlerts.Check(_sink, _store);
    }

    private bool Chance(double chance, ref int count)
    {
        var strikes = _faults && _random.NextDouble() < chance;
        count += strikes ? 1 : 0;
        return strikes;
    }
}
