using Telemetry.Diagnostics.Failures;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;
using Telemetry.Processing.Intake;
using Telemetry.Processing.Ledger;
using Telemetry.Processing.Partitions;
using Telemetry.Runtime;
using Telemetry.Storage;

namespace Telemetry.Processing.Hellos;

/// <summary>
/// Takes hellos into the current transaction, books the losses that they show, and writes the answers that are sent
/// after the commit. So an answer is always one snapshot of the database.
/// </summary>
internal sealed class HelloHandler(
    IStore store, SchemaHandler schemas, PendingAcks acks, ProcessorCounters counters, ProcessorOptions options,
    TimeProvider time, ReportedFailure reading, Signal signal)
{
    /// <summary>
    /// How long a round waits for the streams' ends. After that the hellos keep waiting, but the round does not.
    /// </summary>
    private static readonly TimeSpan LookWait = TimeSpan.FromMilliseconds(250);

    private readonly List<(PartitionOwner Owner, GatewayLedger Gateway, Hello Hello)> _unanswered = [];
    private readonly List<HelloReady> _later = [];
    private readonly PrefixCuts _cuts = new(store);
    private readonly ListeningClock _listening = new(time, options.Lease);
    private readonly List<(PartitionOwner Owner, GatewayId Gateway, PendingLoss Loss)> _booked = [];

    /// <summary>True when an answer waits for the commit.</summary>
    public bool Waiting => _unanswered.Count > 0;

    /// <summary>
    /// Returns the hellos that can be taken, of those that arrived and those that waited. A full hello waits until the
    /// ends of its partition's streams are read: for a moment in this round, or until a later one.
    /// </summary>
    public async ValueTask<IReadOnlyList<HelloReady>> ReadyAsync(
        IReadOnlyList<(PartitionOwner Owner, HelloArrived Arrived)> hellos, IReadOnlyCollection<PartitionOwner> owners,
        CancellationToken cancellationToken)
    {
        var ready = new List<HelloReady>();
        TakeEnds(owners, ready); // Of the reads that ended since the last round.
        foreach (var (owner, arrived) in hellos)
        {
            if (arrived.Hello.Full)
            {
                owner.Ends.Ask(arrived.Gateway, arrived.Hello, answer: true);
            }
            else
            {
                ready.Add(new HelloReady(owner, arrived.Gateway, arrived.Hello, default, default, Answer: true));
            }
        }

        var retryAfter = (long)(options.RetryAfter.TotalSeconds * time.TimestampFrequency);
        var looks = owners
            .Select(o => o.Ends.Look(
                time.GetTimestamp(), retryAfter, signal, e => reading.Failed(e.Message), cancellationToken))
            .OfType<Task>().ToArray();
        if (looks.Length > 0)
        {
            await Task.WhenAny(Task.WhenAll(looks), Task.Delay(LookWait, time, CancellationToken.None));
        }

        TakeEnds(owners, ready);
        var newer = ready.Where(r => r.Hello.Full && r.Answer).Select(r => r.Gateway).ToHashSet();
        ready.InsertRange(0, _later.Where(r => owners.Contains(r.Owner) && !newer.Contains(r.Gateway)));
        _later.Clear();
        return ready;
    }

    /// <summary>Takes hellos; their gateways must be in memory. Call it in each round, also without hellos.</summary>
    public void Take(IReadOnlyList<HelloReady> hellos, long nowMicros)
    {
        _listening.Turn();
        foreach (var ready in hellos)
        {
            var gateway = ready.Owner.Gateways[ready.Gateway].Ledger;
            if (ready.Hello.Full && !ready.Taken)
            {
                TakeFull(ready, gateway);
            }

            if (ready.Answer && !ready.Taken)
            {
                Learn(gateway, ready.Hello, nowMicros);
            }

            if (ready.Answer)
            {
                _unanswered.Add((ready.Owner, gateway, ready.Hello));
            }
        }
    }

    /// <summary>
    /// Books the readings that are lost by now. The streams' positions are those that the transaction makes durable.
    /// </summary>
    public void BookLosses(PartitionOwner owner)
    {
        foreach (var (id, loss) in owner.Losses.ToArray())
        {
            if (loss.Outdated(owner.Live.Position, owner.Backlog.Position))
            {
                if (owner.Ends.IsIdle(id))
                {
                    owner.Ends.Ask(id, loss.Hello, answer: false);
                }
            }
            else if (loss.Due(owner.Live.Position, owner.Backlog.Position)
                && owner.Gateways.TryGetValue(id, out var memory))
            {
                var gateway = memory.Ledger;
                _booked.Add((owner, id, loss));
                var before = gateway.Lost;
                foreach (var epoch in loss.Book(gateway))
                {
                    acks.Settled(gateway, epoch);
                }

                counters.Lost += gateway.Lost - before;
            }
        }
    }

    /// <summary>The booked losses are in the database (or there was nothing to book).</summary>
    public void Booked()
    {
        foreach (var (owner, gateway, loss) in _booked)
        {
            if (owner.Losses.TryGetValue(gateway, out var known) && known == loss)
            {
                owner.Losses.Remove(gateway);
            }
        }

        _booked.Clear();
    }

    /// <summary>
    /// Returns the answers after the transaction has committed. Each is written from the state that the transaction
    /// made durable. An answer that needs more rows of the frame register than a round may read is written in a later
    /// round, after those that had no turn yet.
    /// </summary>
    public async ValueTask<IReadOnlyList<(GatewayId Gateway, ReadOnlyMemory<byte> Message)>> AnswersAsync(
        long nowMicros, CancellationToken cancellationToken)
    {
        var answers = new List<(GatewayId, ReadOnlyMemory<byte>)>(_unanswered.Count);
        var hadTurn = new List<HelloReady>();
        _cuts.Begin();
        foreach (var (owner, gateway, hello) in _unanswered)
        {
            var turn = _cuts.Room ? hadTurn : _later;
            if (hello.Full && !await _cuts.ReadAsync(gateway, hello, cancellationToken))
            {
                turn.Add(
                    new HelloReady(owner, gateway.Gateway, hello, default, default, Answer: true) { Taken = true });
                continue;
            }

            var writer = new WireWriter();
            var (live, backlog) = owner.Losses.TryGetValue(gateway.Gateway, out var loss)
                ? (loss.Live.Last, loss.Backlog.Last)
                : (owner.Row.Live.Sequence, owner.Row.Backlog.Sequence);
            new StoredAck
            {
                Token = owner.Row.Token,
                InAnswerTo = hello.Full ? hello.Id : null,
                ServerTimeMicros = nowMicros,
                Digest = gateway.Digest,
                Live = new StreamProgress(owner.Row.Live.Sequence, hello.Full ? live : 0),
                Backlog = new StreamProgress(owner.Row.Backlog.Sequence, hello.Full ? backlog : 0),
                Epochs = hello.Full ? Epochs(gateway, hello) : [],
                KnownSchemas = await KnownAsync(gateway, hello, cancellationToken),
                FrameVersion = Math.Min(hello.FrameVersion, FrameHeader.VersionMax),
            }.Write(writer);
            answers.Add((gateway.Gateway, writer.ToArray()));
            counters.Answers++;
        }

        _later.AddRange(hadTurn);
        _unanswered.Clear();
        return answers;
    }

    /// <summary>The answers could not be sent; the agents repeat their hellos.</summary>
    public void Unsaid()
    {
        _unanswered.Clear();
        _later.Clear();
        _cuts.Clear();
    }

    /// <summary>The transaction did not commit; the agents repeat their hellos.</summary>
    public void Forget()
    {
        Unsaid();
        _booked.Clear();
    }

    private static void TakeEnds(IReadOnlyCollection<PartitionOwner> owners, List<HelloReady> ready)
    {
        foreach (var owner in owners)
        {
            owner.Ends.Take(owner, ready);
        }
    }

    // A hello whose streams' ends were read again keeps the epochs found when it arrived: the owner may have forgotten
    // more since. A hello that its agent sent before another waiting one contains nothing that is not in the later one.
    private void TakeFull(HelloReady ready, GatewayLedger gateway)
    {
        var (owner, id, hello, live, backlog, isNew) = ready;
        var waiting = owner.Losses.GetValueOrDefault(id);
        if (waiting is not null && ReferenceEquals(waiting.Hello, hello))
        {
            owner.Losses[id] = waiting with { Live = live, Backlog = backlog };
        }
        else if (isNew && waiting?.Hello.Id.IsAfter(hello.Id) is not true)
        {
            var listening = _listening.Of(owner);
            owner.Losses[id] = new PendingLoss(hello, live, backlog)
            {
                Orphaned = OrphanedEpochs.Of(gateway, hello, listening),
                OrphanedTails = OrphanedEpochs.TailsOf(gateway, hello, listening),
            };
        }
    }

    private static void Learn(GatewayLedger gateway, Hello hello, long nowMicros)
    {
        gateway.Accepted(hello.Outbox, hello.Accepted);
        foreach (var told in hello.Epochs)
        {
            if (gateway.Epoch(told.Epoch) is not { } epoch)
            {
                continue;
            }

            epoch.HeardOf(hello.Id.Process);
            if (told.Predecessor.Epoch != Predecessor.Unknown)
            {
                epoch.BelongTo(hello.Outbox);
            }

            gateway.Follow(epoch, told.Predecessor);
            gateway.Announce(epoch, told.Lasts);
            if (!hello.OwnIsLast || told != hello.Epochs[^1])
            {
                // The agent will never seal into this epoch again, whether or not a successor exists yet.
                gateway.Name(epoch, told.Lasts);
            }
        }

        foreach (var complete in hello.Complete ?? [])
        {
            // Unknown here (the database was restored): announce it, so that the answer tells the agent that it is open
            // again.
            if (!gateway.Epochs.TryGetValue(complete.Epoch, out var known) || !known.Complete)
            {
                gateway.Announce(complete);
            }
        }

        if (hello.Fork.Length > 0)
        {
            gateway.ShowFork($"agent: {hello.Fork}");
        }

        if (hello.Promise is { } promise)
        {
            foreach (var named in promise.Epochs)
            {
                gateway.Announce(named);
            }

            gateway.Watermark.Add(promise, nowMicros);
        }
    }

    private EpochSettlement[] Epochs(GatewayLedger gateway, Hello hello)
    {
        var cuts = _cuts.Take(gateway.Gateway);
        var epochs = new List<EpochSettlement>();
        foreach (var told in hello.Epochs)
        {
            if (!gateway.Epochs.TryGetValue(told.Epoch, out var epoch))
            {
                epochs.Add(new EpochSettlement(
                    told.Epoch, false, [LaneSettlement.Empty, LaneSettlement.Empty, LaneSettlement.Empty]));
                continue;
            }

            epochs.Add(Settlements.Of(
                epoch, told, lane => cuts.TryGetValue((told.Epoch, lane), out var share) ? share : null));
        }

        if (hello.Complete is { } complete)
        {
            // Both sides must end with the same list, so the epochs that only one of them calls complete are named.
            var theirs = new Dictionary<ulong, LaneLasts>();
            foreach (var epoch in complete)
            {
                theirs[epoch.Epoch] = epoch.Lasts;
            }

            var told = epochs.Select(e => e.Epoch).ToHashSet();
            epochs.AddRange(gateway.Epochs.Values
                .Where(e => !told.Contains(e.Epoch))
                .Where(
                    e =>
                        e.Complete
                            ? !theirs.TryGetValue(e.Epoch, out var lasts) || lasts != e.Lasts
                            : theirs.ContainsKey(e.Epoch))
                .Take(Hello.CompleteMax)
                .Select(Settlements.Of)
                .ToArray());
        }

        return [.. epochs];
    }

    private async ValueTask<SchemaId[]> KnownAsync(
        GatewayLedger gateway, Hello hello, CancellationToken cancellationToken)
    {
        var known = new List<SchemaId>();
        foreach (var schema in hello.Schemas)
        {
            if (await schemas.FindAsync(gateway, schema, cancellationToken) is not null)
            {
                known.Add(schema);
            }
        }

        return [.. known];
    }
}
