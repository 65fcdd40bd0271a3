using Telemetry.Model.Protocol;
using Telemetry.Simulation.Faults;
using Telemetry.Streams;
using Telemetry.TestKit.Time;

namespace Telemetry.Simulation.Worlds;

/// <summary>Lets the faults that come from time to time strike, each at its rate, until the world heals.</summary>
internal sealed class FaultSchedule(SimulatedWorld world)
{
    private const int StepsBeforeStrike = 40;

    private readonly Random _random = new(world.Random.Next());

    /// <summary>Takes backups while faults may strike.</summary>
    public async Task BackUpAsync()
    {
        while (world.Faults.Active)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(_random.Next(500, 5000)), world.Pump.Clock);
            world.Backups.Take();
        }
    }

    public async Task StrikeAsync()
    {
        var rates = world.Mix.PerMinute.ToArray();
        var perMinute = rates.Sum(r => r.Value);
        while (world.Faults.Active && perMinute > 0)
        {
            var pause = TimeSpan.FromMinutes(-Math.Log(1 - _random.NextDouble()) / perMinute);
            await Task.Delay(pause, world.Pump.Clock);

            // Some steps later, so that it may fall between any two awaits.
            for (var steps = _random.Next(StepsBeforeStrike); steps > 0; steps--)
            {
                await Task.Yield();
            }

            if (world.Faults.Active)
            {
                Strike(Choose(rates, perMinute));
            }
        }
    }

    /// <summary>Lets one strike now; nothing happens when it cannot (no copy to put back, nothing to purge).</summary>
    public void Strike(Fault fault)
    {
        if (TryStrike(fault) is { } where)
        {
            world.Faults.Struck(fault, where);
        }
    }

    private string? TryStrike(Fault fault) => fault switch
    {
        Fault.LinkCut => CutLink(),
        Fault.AgentCrash or Fault.PowerCut => Kill(Choose(world.Gateways).Machine),
        Fault.IngressCrash => Kill(Choose(world.Ingresses).Machine),
        Fault.ProcessorCrash => Kill(Choose(world.ProcessorMachines)),
        Fault.ProcessorStopped => Stop(Choose(world.ProcessorMachines)),
        Fault.LogDisconnected => DisconnectLog(),
        Fault.RelayCrash => Kill(Choose(world.RelayMachines)),
        Fault.LogWiped => WipeLog(),
        Fault.LogPurged => PurgeLog(),
        Fault.LogExpired => ExpireLog(),
        Fault.LogPutBack => PutLogBack(),
        Fault.DatabasePutBack => PutDatabaseBack(),
        Fault.SecondOwner => LetSecondOwnerIn(),
        Fault.OutboxPutBack => PutOutboxBack(),
        Fault.OutboxCloned => CloneOutbox(),
        Fault.AgentClockStepped => world.Clocks.StepAgent(),
        Fault.CloudClockStepped => world.Clocks.StepCloud(),
        Fault.AgentFrozen => FreezeAgent(),
        Fault.IngressFrozen => FreezeIngress(),
        Fault.ProcessorFrozen => Freeze(Choose(world.ProcessorMachines), _ => { }),
        Fault.StrangerStarted => world.Strangers.Start(),
        _ => throw new ArgumentOutOfRangeException(nameof(fault), fault, "it strikes at chances only"),
    };

    private string CutLink()
    {
        var link = Choose(world.Gateways).Link;
        link.Cut();
        _ = MendAsync();
        return link.Gateway.Value;

        async Task MendAsync()
        {
            await Task.Delay(TimeSpan.FromMilliseconds(_random.Next(200, 15_000)), world.Pump.Clock);
            link.Mend();
        }
    }

    private string? Kill(Machine machine)
    {
        if (!machine.IsRunning)
        {
            return null;
        }

        machine.Kill(TimeSpan.FromMilliseconds(_random.Next(6000)));
        return machine.Name;
    }

    private string? Stop(Machine machine)
    {
        if (machine is not { IsRunning: true, Life.IsFrozen: false })
        {
            return null;
        }

        machine.Stop(TimeSpan.FromMilliseconds(_random.Next(6000)));
        return machine.Name;
    }

    private string? FreezeAgent()
    {
        var gateway = Choose(world.Gateways);
        return Freeze(gateway.Machine, _ => gateway.Link.Break("the agent says nothing"));
    }

    private string? FreezeIngress() => Freeze(Choose(world.Ingresses).Machine, life =>
    {
        foreach (var gateway in world.Gateways)
        {
            gateway.Link.BreakFrom(life, "the ingress says nothing");
        }
    });

    private string? Freeze(Machine machine, Action<ProcessLife> silent)
    {
        if (machine is not { IsRunning: true, Life.IsFrozen: false })
        {
            return null;
        }

        var time = TimeSpan.FromMilliseconds(Math.Pow(10, 2 + (_random.NextDouble() * 2.5)));
        machine.Freeze(time, TimeSpan.FromMilliseconds(_random.Next(5000, 15_000)), silent);
        return $"{machine.Name} for {time}";
    }

    private string? CloneOutbox()
    {
        var gateway = Choose(world.Gateways);
        if (world.Twins.Any(t => t.Id == gateway.Id && !t.Machine.IsDestroyed))
        {
            return null;
        }

        var copy = new OutboxCopy(gateway.Disk.Snapshot(), world.Now);
        gateway.PutBack.Add(copy);
        world.Judge.OutboxCopied(gateway, copy.Snapshot);
        world.Faults.GivenUp.RemoveWhere(g => g.Gateway == gateway.Id); // The copy may hold what this one gave up.
        var twin = world.Clone(gateway);
        _ = twin.Machine.RunAsync();
        twin.Machine.SwitchOn();
        _ = EndAsync(twin, gateway);
        return gateway.Id.Value;
    }

    private async Task EndAsync(GatewayMachine twin, GatewayMachine gateway)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(_random.Next(2000, 20_000)), world.Pump.Clock);
        if (!twin.Machine.IsDestroyed)
        {
            world.Judge.DiskGone(gateway.Id, twin.Disk.Snapshot(), gateway.Disk.Snapshot());
            twin.Machine.Destroy();
        }
    }

    private string DisconnectLog()
    {
        world.Log.Disconnect();
        return "all readers";
    }

    private string? WipeLog()
    {
        var (partition, kind) = world.Backups.ChooseStream();
        if (world.Log.Find(partition, StreamKind.Live) is null)
        {
            return null; // Nobody has made it yet.
        }

        switch (_random.Next(3))
        {
            case 0:
                Damage(partition, kind, () => world.Log.Delete(partition, kind));
                break;
            case 1:
                Damage(partition, kind, () => world.Log.Wipe(partition, kind));
                break;
            default:
                Damage(partition, StreamKind.Live, () => world.Log.Wipe(partition, StreamKind.Live));
                Damage(partition, StreamKind.Backlog, () => world.Log.Wipe(partition, StreamKind.Backlog));
                break;
        }

        return $"{kind} {partition}";
    }

    private string? PurgeLog()
    {
        var (partition, kind) = world.Backups.ChooseStream();
        var floor = world.Backups.PurgeFloor(partition, kind);
        var purged = 0;
        Damage(partition, kind, () => purged = world.Log.Purge(partition, kind, floor));
        if (purged == 0)
        {
            return null;
        }

        return $"{kind} {partition} below {floor}";
    }

    private string? ExpireLog()
    {
        var (partition, kind) = world.Backups.ChooseStream();
        var age = TimeSpan.FromMilliseconds(_random.Next(500, 20_000));
        var expired = 0;
        Damage(partition, kind, () => expired = world.Log.Expire(partition, kind, age));
        if (expired == 0)
        {
            return null;
        }

        return $"{kind} {partition} older than {age}";
    }

    private string? PutLogBack()
    {
        if (world.Backups.AStream() is not var (partition, kind, copy))
        {
            return null;
        }

        Damage(partition, kind, () => world.Log.PutBack(partition, kind, copy));
        return $"{kind} {partition} to {copy.State}";
    }

    private string? PutDatabaseBack()
    {
        if (world.Backups.ADatabase() is not { } backup || backup == world.Store.Content)
        {
            return null;
        }

        var before = world.Store.Content;
        world.Store.Content = backup;
        world.Judge.DatabasePutBack(before, backup);
        return string.Join(", ", backup.Partitions.OrderBy(p => p.Key).Select(p =>
            $"partition {p.Key} commits {p.Value.Row.Commits} live {p.Value.Row.Live.Sequence} backlog "
            + $"{p.Value.Row.Backlog.Sequence}"));
    }

    private string? LetSecondOwnerIn()
    {
        var partition = _random.Next(SimulatedWorld.Partitions);
        var content = world.Store.Content;
        if (!content.Partitions.TryGetValue(partition, out var held) || held.LeaseEnd <= world.Pump.Clock.GetUtcNow())
        {
            return null;
        }

        world.Store.Content = content with
        {
            Partitions = content.Partitions.SetItem(partition, held with { LeaseEnd = default }),
        };
        return $"partition {partition}, lease of {held.Owner} run out early";
    }

    private string? PutOutboxBack()
    {
        if (world.Backups.AnOutbox() is not var (gateway, copy) || copy.Snapshot == gateway.Disk.Snapshot())
        {
            return null;
        }

        gateway.Machine.Kill(TimeSpan.FromMilliseconds(_random.Next(6000)));
        gateway.PutBack.Add(copy);
        world.Judge.OutboxCopied(gateway, copy.Snapshot);
        world.Faults.GivenUp.RemoveWhere(g => g.Gateway == gateway.Id); // The copy may hold what this one gave up.
        world.Judge.DiskGone(gateway.Id, gateway.Disk.Snapshot(), copy.Snapshot);
        gateway.Disk.Restore(copy.Snapshot);
        return $"{gateway.Id} to {copy.TakenAt}";
    }

    private void Damage(int partition, StreamKind kind, Action damage)
    {
        FrameLogMessage[] before = [.. world.Log.Find(partition, kind)?.Messages.Values ?? []];
        damage();
        world.Judge.LogDamaged(partition, kind, before);
    }

    private Fault Choose(KeyValuePair<Fault, double>[] rates, double sum)
    {
        var at = _random.NextDouble() * sum;
        foreach (var (fault, rate) in rates)
        {
            if ((at -= rate) < 0)
            {
                return fault;
            }
        }

        return rates[^1].Key;
    }

    private T Choose<T>(IReadOnlyList<T> from) => from[_random.Next(from.Count)];
}
