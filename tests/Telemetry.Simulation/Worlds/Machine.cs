using Telemetry.TestKit.Time;

namespace Telemetry.Simulation.Worlds;

/// <summary>
/// A machine that runs one program again and again: after a kill, after an error, until it is switched off. Each run is
/// a life of its own with nothing left of the one before but what the program keeps on simulated disks.
/// </summary>
internal sealed class Machine(
    string name, Pump pump, Trace trace, Random random, Func<ProcessLife, CancellationToken, Task> program,
    Action? died = null)
{
    private readonly List<string> _errors = [];
    private CancellationTokenSource _stop = new();
    private TaskCompletionSource _switchedOn = new();
    private TimeSpan _rest;

    public string Name => name;

    /// <summary>The life that runs now; the last one while the machine rests.</summary>
    public ProcessLife? Life { get; private set; }

    public bool IsRunning => Life is { IsAlive: true };

    /// <summary>How far its wall clock is ahead of the world's.</summary>
    public TimeSpan ClockOffset { get; set; }

    /// <summary>How much further ahead its wall clock gets in each second.</summary>
    public double ClockDrift { get; set; }

    /// <summary>True once it is no more.</summary>
    public bool IsDestroyed { get; private set; }

    /// <summary>Errors that ended the program, but for those that it is allowed.</summary>
    public IReadOnlyList<string> Errors => _errors;

    /// <summary>True for errors that a program may end with: it is started again.</summary>
    public Func<Exception, bool> Allows { get; init; } = _ => false;

    /// <summary>Runs lives until the world ends.</summary>
    public async Task RunAsync()
    {
        while (true)
        {
            await _switchedOn.Task;
            var life = Life = new ProcessLife(pump, () => ClockOffset + (pump.Clock.Elapsed * ClockDrift));
            var stop = _stop = new CancellationTokenSource();
            trace.Say($"{name} starts");
            var running = life.Run(() => program(life, stop.Token));
            await Task.WhenAny(running, life.Died);
            if (running.IsFaulted)
            {
                Note(running.Exception!.InnerException!);
            }

            life.Kill();
            died?.Invoke();
            await Task.Delay(_rest + TimeSpan.FromMilliseconds(random.Next(1, 500)), pump.Clock);
            _rest = TimeSpan.Zero;
        }
    }

    public void SwitchOn() => _switchedOn.TrySetResult();

    /// <summary>The process dies where it stands and is started again after a rest.</summary>
    public void Kill(TimeSpan rest)
    {
        if (Life is { IsAlive: true } life)
        {
            trace.Say($"{name} is killed");
            _rest = rest;
            life.Kill();
        }
    }

    /// <summary>A clean stop; it is started again after a rest.</summary>
    public void Stop(TimeSpan rest)
    {
        trace.Say($"{name} is stopped");
        _rest = rest;
        _stop.Cancel();
    }

    /// <summary>A clean stop; it is not started again.</summary>
    public void SwitchOff()
    {
        trace.Say($"{name} is switched off");
        _switchedOn = new TaskCompletionSource();
        _stop.Cancel();
    }

    /// <summary>
    /// The process stands still for a while and goes on as if nothing had happened; <paramref name="silent"/> is called
    /// once those who talk to it have waited long enough.
    /// </summary>
    public void Freeze(TimeSpan time, TimeSpan patience, Action<ProcessLife> silent)
    {
        if (Life is { IsAlive: true, IsFrozen: false } life)
        {
            trace.Say($"{name} is frozen");
            life.Freeze();
            _ = ThawAsync(life, time);
            _ = MissAsync();

            async Task MissAsync()
            {
                await Task.Delay(patience, pump.Clock);
                if (life is { IsAlive: true, IsFrozen: true })
                {
                    silent(life);
                }
            }
        }
    }

    /// <summary>Whatever is frozen goes on.</summary>
    public void Thaw()
    {
        if (Life is { IsAlive: true, IsFrozen: true } life)
        {
            trace.Say($"{name} goes on");
            life.Thaw();
        }
    }

    /// <summary>The machine is no more: its program dies where it stands and is never started again.</summary>
    public void Destroy()
    {
        trace.Say($"{name} is destroyed");
        IsDestroyed = true;
        _switchedOn = new TaskCompletionSource();
        Life?.Kill();
    }

    private async Task ThawAsync(ProcessLife life, TimeSpan time)
    {
        await Task.Delay(time, pump.Clock);
        if (Life == life)
        {
            Thaw();
        }
    }

    private void Note(Exception error)
    {
        trace.Say($"{name} ended: {error.GetType().Name}: {error.Message}");
        if (!Allows(error))
        {
            _errors.Add($"{name}: {error}");
        }
    }
}
