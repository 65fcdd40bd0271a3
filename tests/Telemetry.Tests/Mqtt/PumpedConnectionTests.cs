using System.Net.Sockets;
using Telemetry.Mqtt;
using Telemetry.Testing.Time;

namespace Telemetry.Tests.Mqtt;

/// <summary>The whole client, loops and timers included, on one thread and a simulated clock.</summary>
public sealed class PumpedConnectionTests
{
    private static readonly MqttClientOptions Options =
        new() { Host = "h", ClientId = "a", AllowSynchronousContinuations = true };

    private readonly Pump _pump = new();

    [Fact]
    public void Connect_attempt_without_an_answer_times_out() => _pump.Run(async () =>
    {
        await using var client = new MqttClient(
            Options, _pump.Clock, null, _ => new((LinkStream.Pair().Item1, (Socket?)null)));
        var failure = await Assert.ThrowsAsync<MqttConnectionException>(() => client.ConnectAsync());
        Assert.IsType<TimeoutException>(failure.InnerException);
        Assert.Equal(Options.ConnectTimeout, _pump.Clock.Elapsed);
    });

    [Fact]
    public void Client_that_is_disposed_while_it_dials_does_not_connect() => _pump.Run(async () =>
    {
        var (near, far) = LinkStream.Pair();
        var client = new MqttClient(Options, _pump.Clock, null, async ct =>
        {
            await Task.Delay(TimeSpan.FromSeconds(1), _pump.Clock, ct);
            return (near, null);
        });
        var connecting = client.ConnectAsync();
        await client.DisposeAsync();

        await Assert.ThrowsAsync<MqttConnectionException>(() => connecting);
        Assert.Equal(0, await far.ReadAsync(new byte[10]));
    });

    // An agent that was stopped in that moment ended with an error.
    [Fact]
    public void Dial_that_is_refused_in_the_moment_of_a_cancellation_is_cancelled() => _pump.Run(async () =>
    {
        using var stop = new CancellationTokenSource();
        await using var client = new MqttClient(Options, _pump.Clock, null, _ =>
        {
            stop.Cancel();
            throw new SocketException((int)SocketError.ConnectionRefused);
        });
        var cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.ConnectAsync(stop.Token));
        Assert.Equal(stop.Token, cancelled.CancellationToken);
    });

    [Fact]
    public void Dial_that_hangs_times_out() => _pump.Run(async () =>
    {
        await using var client = new MqttClient(Options, _pump.Clock, null, async ct =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, _pump.Clock, ct);
            throw new InvalidOperationException();
        });
        var failure = await Assert.ThrowsAsync<MqttConnectionException>(() => client.ConnectAsync());
        Assert.IsType<TimeoutException>(failure.InnerException);
        Assert.True(failure.IsTransient);
    });
}
