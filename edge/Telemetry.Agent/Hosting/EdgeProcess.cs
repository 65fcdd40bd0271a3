using System.Net;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Telemetry.Agent.Configuration;
using Telemetry.Agent.Status;
using Telemetry.Diagnostics.Tracing;
using Telemetry.Edge.Outbox;
using Telemetry.Inputs;
using Telemetry.Model.Tracing;
using Telemetry.Runtime;

namespace Telemetry.Agent.Hosting;

/// <summary>
/// A process of one or many agents: one loop, one status listener, signals. SIGTERM and SIGINT stop it cleanly within
/// the options' stop timeout; what is not sent then waits in the outbox files.
/// </summary>
public sealed class EdgeProcess(
    IReadOnlyList<AgentOptions> agents, int statusPort, TimeSpan stopTimeout, TimeProvider time)
{
    // A process of many agents names the first ones.
    private const int ProblemsMax = 16;

    /// <summary>Exit code of a clean end.</summary>
    public const int Ended = 0;

    /// <summary>Exit code when an agent could not go on.</summary>
    public const int Failed = 1;

    /// <summary>Exit code of a wrong command line or configuration.</summary>
    public const int Misused = 2;

    /// <summary>A logger to the console: journald's levels where systemd started us, plain lines otherwise.</summary>
    public static ILoggerFactory Logging() => LoggerFactory.Create(logging =>
    {
        if (Environment.GetEnvironmentVariable("INVOCATION_ID") is null)
        {
            logging.AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.UseUtcTimestamp = true;
                console.TimestampFormat = "HH:mm:ss.fff ";
            });
        }
        else
        {
            logging.AddSystemdConsole();
        }
    });

    /// <summary>
    /// Runs the agents to their end; gives the exit code. <paramref name="random"/> is of jitter and ids. Besides the
    /// signals <paramref name="ended"/> stops it.
    /// </summary>
    public async Task<int> RunAsync(ILoggerFactory logging, Random random, CancellationToken ended = default)
    {
        var log = logging.CreateLogger("process");
        List<string> problems = [.. StartProblems()];
        if (problems.Count > 0)
        {
            problems.ForEach(problem => ProcessLog.CannotStart(log, problem));
            return Failed;
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ended);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var traces = StartTraces(log);
        using var loop = new EventLoop("agents");
        var running = loop.RunAsync(() => RunOnLoopAsync(logging, log, random, traces?.Counters, stop.Token));
        var stopped = new TaskCompletionSource();
        using var registration = stop.Token.Register(() => stopped.TrySetResult());
        await Task.WhenAny(running, stopped.Task);
        try
        {
            // Not to be cancelled: it is told to stop already, and is waited for.
            return await running.WaitAsync(stopTimeout, time, CancellationToken.None);
        }
        catch (TimeoutException)
        {
            ProcessLog.StopTimedOut(log, stopTimeout);
            return Failed;
        }

        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            stop.Cancel();
        }
    }

    /// <summary>What keeps it from starting, in words: the sentences of a run that ends with them.</summary>
    public IEnumerable<string> Problems() =>
        StartProblems().Concat(agents.Select(StartCheck.OutboxProblem).OfType<string>());

    private IEnumerable<string> StartProblems() =>
        ((string?[])[PortCheck.Problem("status.port", IPAddress.Loopback, statusPort)]).OfType<string>()
            .Concat(agents.SelectMany(StartCheck.Problems));

    private TraceExport? StartTraces(ILogger log)
    {
        // The agents of one process have their traces in common, as all but names and files.
        var options = agents[0].Traces;
        var instance = agents.Count == 1 ? agents[0].Gateway.Value : $"{agents[0].Gateway} and {agents.Count - 1} more";
        var traces = TraceExport.Start(
            options, FrameSpans.EdgeSource, "telemetry-agent", instance,
            change => ProcessLog.TracesChanged(log, options.EndpointShown, change));
        if (traces is not null)
        {
            ProcessLog.Tracing(log, options.EndpointShown, options.Ratio);
        }

        return traces;
    }

    private async Task<int> RunOnLoopAsync(
        ILoggerFactory logging, ILogger log, Random random, TraceExportCounters? traces, CancellationToken stop)
    {
        var running = agents.Select(options => new EdgeAgent(
            options, time, random, logging.CreateLogger(options.Gateway.Value))).ToList();
        using var metrics = new AgentMetrics(traces);
        await using var listener = statusPort > 0
            ? new StatusListener(statusPort, path => Answer(path, running, metrics), time)
            : null;
        ProcessLog.Started(log, running.Count, statusPort);
        try
        {
            // The first that cannot go on ends all: a supervisor starts the process again.
            var tasks = running.ConvertAll(agent => agent.RunAsync(stop));
            await await Task.WhenAny(tasks);
            await Task.WhenAll(tasks);
            return Ended;
        }
        catch (OutboxException)
        {
            // Its agent has said it in a sentence.
            ProcessLog.Ended(log, null);
            return Failed;
        }
        catch (Exception e)
        {
            ProcessLog.Ended(log, e);
            return Failed;
        }
    }

    // A line for each agent that does not take readings.
    private static HttpAnswer Ready(List<AgentStatus> status)
    {
        var problems = status.Where(s => !s.IsReady).Take(ProblemsMax)
            .Select(s => $"{s.Gateway}: {(s.Problem.Length > 0 ? s.Problem : "the outbox is being opened")}\n")
            .ToList();
        return problems.Count == 0 ? HttpAnswer.Text(200, "ready\n") : HttpAnswer.Text(503, string.Concat(problems));
    }

    private static HttpAnswer Answer(string path, List<EdgeAgent> agents, AgentMetrics metrics)
    {
        var status = agents.ConvertAll(agent => agent.Status());
        return path switch
        {
            "/health/live" => HttpAnswer.Text(200, "live\n"),
            "/health/ready" => Ready(status),
            "/status" => new HttpAnswer(200, "application/json", AgentStatus.Json(status)),
            "/metrics" => new HttpAnswer(
                200, "text/plain; version=0.0.4; charset=utf-8",
                System.Text.Encoding.UTF8.GetBytes(metrics.Write(status))),
            _ => HttpAnswer.NotFound,
        };
    }
}
