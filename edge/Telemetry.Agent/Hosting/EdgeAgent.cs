using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Telemetry.Agent.Configuration;
using Telemetry.Agent.Status;
using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Frames;
using Telemetry.Edge.Outbox.Quota;
using Telemetry.Edge.Outbox.Sqlite;
using Telemetry.Edge.Uplink;
using Telemetry.Edge.Uplink.Mqtt;
using Telemetry.Inputs;
using Telemetry.Inputs.Senders;

namespace Telemetry.Agent.Hosting;

/// <summary>
/// One agent: its outbox, its way up and its inputs, put together by options. Runs on the loop that calls it, with all
/// its members. A broken outbox is opened again, and an input that fails is started again, after pauses that grow. What
/// fails at the start ends it: nobody would see it fail for ever.
/// </summary>
public sealed class EdgeAgent
{
    private readonly AgentOptions _options;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ILogger _log;
    private readonly List<IInput> _inputs = [];
    private ReadingOutbox? _outbox;
    private UplinkLoop? _uplink;
    private readonly RetryPause _outboxPause;
    private bool _inputsEnded;
    private bool _hasOpened;
    private string _outboxProblem = "";

    public EdgeAgent(AgentOptions options, TimeProvider time, Random random, ILogger log)
    {
        _options = options;
        _time = time;
        _random = random;
        _log = new QuietLog(log, time);
        _outboxPause = new RetryPause(time);
    }

    /// <summary>
    /// Runs until it is stopped; then the inputs' last readings are committed first. Throws
    /// <see cref="OutboxException"/> when only an operator can mend the outbox.
    /// </summary>
    public async Task RunAsync(CancellationToken stop)
    {
        using var journal = _options.Journal.Length > 0 ? SenderJournal.Open(_options.Journal, _options.Gateway) : null;
        using var connector = new MqttUplinkConnector(_options.Uplink, _options.Gateway, _time);
        var context = new InputContext(_options.Gateway, journal, _time, _log);
        _inputs.AddRange(_options.Inputs.Select(input => input.Create(context)));
        try
        {
            while (!stop.IsCancellationRequested)
            {
                await RunUntilBrokenAsync(connector, stop);
            }
        }
        finally
        {
            _inputs.ForEach(input => input.Dispose());
        }
    }

    /// <summary>How it stands now.</summary>
    public AgentStatus Status()
    {
        var status = new AgentStatus
        {
            Gateway = _options.Gateway.Value,
            Refused = _inputs.Sum(input => input.Refused),
            InputsEnded = _inputsEnded,
            Problem = _outboxProblem,
            Inputs = [.. _inputs.Select(input => input.Status).OfType<IInputStatus>()],
        };
        return _outbox is { } outbox ? Status(status, outbox) : status;
    }

    private AgentStatus Status(AgentStatus status, ReadingOutbox outbox)
    {
        long held = 0, inFlight = 0;
        int frames = 0, awaiting = 0;
        foreach (var frame in outbox.Held)
        {
            held += frame.Key.Count;
            if (frame.State != DeliveryState.ToSend)
            {
                inFlight += frame.Key.Count;
                frames++;
                awaiting += frame.State == DeliveryState.Sending ? 1 : 0;
            }
        }

        return status with
        {
            OutboxOpen = true,
            Problem = outbox.Standing.Problem ?? "",
            AtQuota = outbox.Standing.AtQuota,
            DiskProblem = outbox.Standing.DiskFailure is not null,
            OutboxBytes = outbox.StoredBytes,
            LinkUp = outbox.LinkUp,
            LinkProblem = _uplink?.Status.LastError ?? "",
            Accepted = outbox.Accepted,
            AtTheEdge = held + outbox.UnsealedReadings,
            InFlight = inFlight,
            FramesInFlight = frames,
            FramesAwaitingPubAck = awaiting,
            LastAnswer = _uplink?.Status.LastWord,
            FramesResent = _uplink?.Status.FramesResent ?? 0,
            FramesRefused = _uplink?.Status.FramesRefused ?? 0,
            Watermark = outbox.CurrentPromise() is { } promise
                ? DateTimeOffset.UnixEpoch.AddTicks(promise.W * 10) : null,
            Fork = outbox.Fork ?? "",
            RequestsRemembered = outbox.Requests.Remembered,
            RequestsForgottenEarly = outbox.Requests.ForgottenEarly,
        };
    }

    // At the start only a full disk is waited for: the agent itself may be the one that can drain it.
    private bool CanComeBack(OutboxException e) =>
        _hasOpened ? e.IsTransient : e.Fault is OutboxFault.Full or OutboxFault.Busy;

    private async Task RunUntilBrokenAsync(IUplinkConnector connector, CancellationToken stop)
    {
        _outboxPause.Start();
        try
        {
            await using var outbox = await OpenAsync(stop);
            _outbox = outbox;
            _hasOpened = true;
            _outboxProblem = "";
            SayChanges(outbox.Standing);
            await RunWithAsync(outbox, connector, stop);
        }
        catch (OutboxException e) when (CanComeBack(e) && !stop.IsCancellationRequested)
        {
            _outboxProblem = e.Message;
            var (pause, say) = _outboxPause.Failed(e.Message);
            if (say)
            {
                AgentLog.OutboxBroke(_log, e.Message, _outboxPause.Repeats);
            }

            await DelayAsync(pause, stop);
        }
        catch (OutboxException e)
        {
            AgentLog.OutboxUnusable(_log, StartCheck.OutboxProblem(e.Message));
            throw;
        }
        finally
        {
            _outbox = null;
            _uplink = null;
        }
    }

    private async Task<ReadingOutbox> OpenAsync(CancellationToken cancellationToken)
    {
        var file = await SqliteOutboxFile.OpenAsync(
            _options.OutboxFile,
            SqliteOutboxOptions.For(_options.Outbox.QuotaBytes) with { ReserveBytes = _options.OutboxReserveBytes },
            cancellationToken);
        try
        {
            var outbox = await ReadingOutbox.OpenAsync(
                file, _options.Gateway, _options.Outbox, _time, _random, cancellationToken);
            if (_options.Outbox.TestDropEvery > 0)
            {
                AgentLog.TestDropsOn(_log, _options.Outbox.TestDropEvery, TestDrops.Variable);
            }

            AgentLog.OutboxOpened(
                _log, outbox.OutboxId, _options.OutboxFile, outbox.Accepted, outbox.Held.Count);
            return outbox;
        }
        catch
        {
            await file.DisposeAsync();
            throw;
        }
    }

    // Inputs stop first and wait for their last commit; then the link; the outbox' own last commit is its disposal.
    private async Task RunWithAsync(ReadingOutbox outbox, IUplinkConnector connector, CancellationToken stop)
    {
        using var inputsEnd = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using var linkEnd = new CancellationTokenSource();
        _uplink = new UplinkLoop(
            outbox, _options.Gateway, connector, _options.UplinkSending, _time, _random, _log);
        var linking = _uplink.RunAsync(linkEnd.Token);
        var reading = Task.WhenAll(_inputs.Select(input => RunInputAsync(input, outbox, inputsEnd.Token)));
        var stopped = new TaskCompletionSource();
        using var registration = stop.Register(() => stopped.TrySetResult());
        await Task.WhenAny(stopped.Task, outbox.Failed, linking, FaultOf(reading, stopped.Task));
        inputsEnd.Cancel();
        try
        {
            await reading;
        }
        finally
        {
            linkEnd.Cancel();
            await linking;
        }

        AgentLog.Stopped(_log, outbox.Held.Count);
        if (outbox.Failed.IsCompleted)
        {
            throw await outbox.Failed;
        }
    }

    // Inputs that come to their end end nothing: the outbox goes on draining.
    private async Task FaultOf(Task reading, Task stopped)
    {
        await reading;
        _inputsEnded = true;
        await stopped;
    }

    private void SayChanges(OutboxStanding standing)
    {
        var isSaid = false;
        standing.Changed += () =>
        {
            if (standing.Problem is { } problem)
            {
                AgentLog.Refuses(_log, problem);
            }
            else if (isSaid)
            {
                AgentLog.TakesAgain(_log, standing.RefusedReadings);
            }

            isSaid = standing.Problem is not null;
        };
    }

    private async Task RunInputAsync(IInput input, ReadingOutbox outbox, CancellationToken cancellationToken)
    {
        var pause = new RetryPause(_time);
        while (true)
        {
            pause.Start();
            try
            {
                await input.RunAsync(outbox, cancellationToken);
                if (!cancellationToken.IsCancellationRequested)
                {
                    AgentLog.InputEnded(_log, input.Name, input.Acknowledged);
                }

                return;
            }
            catch (Exception e) when (e is not OutboxException && !cancellationToken.IsCancellationRequested)
            {
                var (wait, say) = pause.Failed(e.Message);
                if (say)
                {
                    AgentLog.InputFailed(_log, input.Name, Words(e), pause.Repeats);
                }

                await DelayAsync(wait, cancellationToken);
            }
        }
    }

    // The disk and the network say what is wrong in a sentence; of anything else the place matters too.
    private static string Words(Exception e) => e is IOException or UnauthorizedAccessException or SocketException
        ? e.Message : e.ToString();

    private async Task DelayAsync(TimeSpan delay, CancellationToken cancellationToken)
    {
        try
        {
            await Task.Delay(delay, _time, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The caller looks at its token next.
            return;
        }
    }
}
