using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Agent.Configuration;
using Telemetry.Agent.Hosting;
using Telemetry.Agent.Status;
using Telemetry.Edge.Uplink;
using Telemetry.Runtime;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Edge;

/// <summary>
/// One run of today's agent on an older agent's file, on its loop as the daemon runs it. Disposed, it has stopped
/// cleanly.
/// </summary>
internal sealed class AgentRun : IAsyncDisposable
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(60);

    private readonly EventLoop _loop = new("agent");
    private readonly CancellationTokenSource _stop = new();
    private readonly EdgeAgent _agent;
    private readonly Task _running;

    public AgentRun(OlderOutbox outbox, int mqttPort, Func<AgentOptions, AgentOptions>? change = null)
    {
        var options = new AgentOptions
        {
            Gateway = AgentAndCloud.Gateway,
            OutboxFile = outbox.FilePath,
            Journal = outbox.JournalPath,
            Outbox = new() { IdleCommitInterval = TimeSpan.FromSeconds(1) },
            Uplink = new() { Host = "127.0.0.1", Port = mqttPort, Password = AgentAndCloud.Password },
            UplinkSending = new UplinkOptions
            {
                Heartbeat = TimeSpan.FromSeconds(1),
                UnsettledAfter = TimeSpan.FromSeconds(2),
                AnswerTimeout = TimeSpan.FromSeconds(1),
                BackoffMin = TimeSpan.FromMilliseconds(100),
                BackoffMax = TimeSpan.FromMilliseconds(500),
            },
        };
        _agent = new EdgeAgent(
            change is null ? options : change(options), TimeProvider.System, new Random(1), NullLogger.Instance);
        _running = _loop.RunAsync(() => _agent.RunAsync(_stop.Token));
    }

    /// <summary>A run that nobody answers: the port is free.</summary>
    public static AgentRun Offline(OlderOutbox outbox, Func<AgentOptions, AgentOptions>? change = null) =>
        new(outbox, FreePort.Next(), change);

    public Task<AgentStatus> Status() => _loop.RunAsync(() => Task.FromResult(_agent.Status()));

    /// <summary>Waits until it stands so; the status then.</summary>
    public async Task<AgentStatus> Until(Func<AgentStatus, Task<bool>> holds)
    {
        using var limit = new CancellationTokenSource(Within);
        while (true)
        {
            var status = await Status();
            if (status.OutboxOpen && await holds(status))
            {
                return status;
            }

            Assert.False(limit.IsCancellationRequested, $"it did not come to hold: {status}");
            if (_running.IsCompleted)
            {
                await _running;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20));
        }
    }

    public Task<AgentStatus> Until(Func<AgentStatus, bool> holds) => Until(status => Task.FromResult(holds(status)));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _loop.Dispose();
        _stop.Dispose();
    }
}
