using Telemetry.TestKit.Time;

namespace Telemetry.TestKit.Simulated;

/// <summary>
/// How processes reach a simulated server: a request takes its time, does its work there, and the answer takes its time
/// back. A request that was on its way when its sender died still arrives. Request and answer can be lost; the caller
/// then gets the error that the port promises. Used on the pump's thread.
/// </summary>
public sealed class SimulatedCalls(Pump pump, Random random)
{
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);

    private DateTimeOffset _free;

    /// <summary>The shortest way, one direction.</summary>
    public TimeSpan LatencyMin { get; set; } = TimeSpan.FromMicroseconds(100);

    /// <summary>The longest way, one direction.</summary>
    public TimeSpan LatencyMax { get; set; } = TimeSpan.FromMilliseconds(3);

    /// <summary>True when requests arrive in the order in which they were sent, as over one connection.</summary>
    public bool KeepsOrder { get; init; }

    /// <summary>Asked once a call: true when the request gets lost, and nothing happens.</summary>
    public Func<string, bool> LosesRequest { get; set; } = _ => false;

    /// <summary>Asked once a call: true when it happens and the caller never learns of it.</summary>
    public Func<string, bool> LosesAnswer { get; set; } = _ => false;

    /// <summary>The server's clock.</summary>
    public TimeProvider Time => Server.Time;

    /// <summary>How far the server's clock is ahead of the pump's.</summary>
    public TimeSpan ClockOffset { get; set; }

    private ProcessLife Server => field ??= new ProcessLife(pump, () => ClockOffset);

    /// <summary>
    /// Calls the server. <paramref name="broken"/> makes the port's error of a lost call; its argument is true when the
    /// request was lost on a connection that the caller knows to be broken before it was sent.
    /// </summary>
    public Task<T> CallAsync<T>(
        string what, Func<T> effect, Func<bool, Exception> broken, CancellationToken cancellationToken) =>
        CallAsync(what, () => Task.FromResult(effect()), broken, cancellationToken);

    /// <summary>The same for work that takes its time at the server.</summary>
    public async Task<T> CallAsync<T>(
        string what, Func<Task<T>> effect, Func<bool, Exception> broken, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var way = KeepsOrder ? InOrder() : Latency();
        return await Server.Run(() => ServeAsync(what, way, effect, broken)).WaitAsync(cancellationToken);
    }

    /// <summary>
    /// Lets something happen at the server after a way's time, whoever asked for it and lives or not.
    /// </summary>
    public void Send(Action arrive) => SendAfter(Latency(), arrive);

    /// <summary>The same after a time of one's own.</summary>
    public void SendAfter(TimeSpan delay, Action arrive) => _ = Server.Run(async () =>
    {
        await Task.Delay(delay, Server.Time);
        arrive();
    });

    /// <summary>One way's time.</summary>
    public TimeSpan Latency() =>
        LatencyMin + TimeSpan.FromTicks(random.NextInt64((LatencyMax - LatencyMin).Ticks + 1));

    private async Task<T> ServeAsync<T>(
        string what, TimeSpan way, Func<Task<T>> effect, Func<bool, Exception> broken)
    {
        await Task.Delay(way, Server.Time);
        if (LosesRequest(what))
        {
            throw broken(true);
        }

        var result = await effect();
        await Task.Delay(Latency(), Server.Time);
        return LosesAnswer(what) ? throw broken(false) : result;
    }

    private TimeSpan InOrder()
    {
        var now = Time.GetUtcNow();
        var arrival = now + Latency();
        _free = arrival > _free ? arrival : _free + Tick;
        return _free - now;
    }
}
