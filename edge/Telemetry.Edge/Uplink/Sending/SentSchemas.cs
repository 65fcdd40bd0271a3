using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Frames;
using Telemetry.Model.Protocol;
using Telemetry.Model.Schemas;

namespace Telemetry.Edge.Uplink.Sending;

/// <summary>
/// How much of the chain of schemas each stream has. A stream must be readable by itself after the database was
/// restored; therefore a schema is sent to LIVE first, and afterwards to BACKLOG. So a schema that the database knows
/// is in LIVE, with all before it, whoever sent it, and is not sent there again. Steps of the chain are counted from 1.
/// </summary>
internal sealed class SentSchemas(IReadOnlyList<SchemaRow> chain)
{
    private readonly Dictionary<SchemaId, int> _steps = [];
    private readonly StreamSchemas[] _streams = [new(), new()];

    /// <summary>The last step of the chain.</summary>
    public int Last => chain.Count;

    /// <summary>The last step up to which a stream has the chain: frames that need no later step may be sent.</summary>
    public int ReadyTo(StreamKind stream) => _streams[(int)stream].ReadyTo;

    /// <summary>True when a stream has a schema and all before it.</summary>
    public bool IsReady(StreamKind stream, SchemaId schema) => StepOf(schema) <= ReadyTo(stream);

    /// <summary>The step that made a schema: 0 for none, the last one for a schema that is not in the chain.</summary>
    public int StepOf(SchemaId schema)
    {
        while (_steps.Count < chain.Count)
        {
            _steps.Add(chain[_steps.Count].Message.Id, _steps.Count + 1);
        }

        return schema == default ? 0 : _steps.GetValueOrDefault(schema, chain.Count);
    }

    /// <summary>The next schema to send in a stream, up to a step; null when all are sent or in flight.</summary>
    public SchemaMessage? Next(StreamKind stream, int until)
    {
        var step = _streams[(int)stream].Next;
        return step <= Math.Min(until, chain.Count) ? chain[step - 1].Message : null;
    }

    /// <summary>The next schema of a stream is sent.</summary>
    public SchemaPass Take(StreamKind stream) => _streams[(int)stream].Take(stream);

    /// <summary>The log has it. <paramref name="hello"/>: the newest hello that was sent by now.</summary>
    public void Accepted(SchemaPass pass, Receipt? receipt, long hello, long timestamp) =>
        _streams[(int)pass.Stream].Accepted(pass, receipt, hello, timestamp);

    /// <summary>It was refused, or the outcome is unknown: it is sent again.</summary>
    public void Failed(SchemaPass pass) => _streams[(int)pass.Stream].Failed(pass);

    /// <summary>
    /// The schemas that a hello asks about: the newest one and some before it, twice as far back each time; the step
    /// that each stream has; and those that frames which are still here need.
    /// </summary>
    public SchemaId[] ToAsk(IEnumerable<HeldFrame> held)
    {
        var asked = new List<int>();
        for (var back = 0; back < chain.Count; back = back == 0 ? 1 : 2 * back)
        {
            asked.Add(chain.Count - back);
        }

        asked.AddRange(_streams.Select(s => s.ReadyTo));
        asked.AddRange(held.Select(f => f.Schema).Distinct().Select(StepOf));
        return [.. asked.Where(s => s > 0).Distinct().Take(Hello.SchemasMax).Select(s => chain[s - 1].Message.Id)];
    }

    /// <summary>The database has these schemas, and with each of them all before it.</summary>
    public void Known(IReadOnlyList<SchemaId> schemas) =>
        _streams[(int)StreamKind.Live].Has(schemas.Select(KnownStep).DefaultIfEmpty().Max());

    /// <summary>
    /// The database has no more than an answer says. If a frame that is still here needs more, the schemas that the
    /// answer shows to be lost in transit are sent again; those that the position has not passed yet are not.
    /// </summary>
    public void Answered(StoredAck answer, IEnumerable<HeldFrame> held, TimeProvider time, TimeSpan unsettledAfter)
    {
        var known = answer.KnownSchemas.Select(KnownStep).DefaultIfEmpty().Max();
        if (held.Select(f => f.Schema).Distinct().All(s => StepOf(s) <= known))
        {
            return;
        }

        for (var stream = StreamKind.Live; stream <= StreamKind.Backlog; stream++)
        {
            if (_streams[(int)stream].IsLost(answer.InAnswerTo!.Value.Number, answer[stream], time, unsettledAfter))
            {
                _streams[(int)stream].ForgetBeyond(known);
            }
        }
    }

    /// <summary>
    /// The database lacks a schema that was sent, or one before it: all are sent again. False when that one is being
    /// sent already.
    /// </summary>
    public bool Needed(SchemaId schema)
    {
        var step = Math.Max(1, StepOf(schema));
        if (_streams.All(s => s.ReadyTo < step))
        {
            return false;
        }

        Array.ForEach(_streams, s => s.ForgetBeyond(0));
        return true;
    }

    private int KnownStep(SchemaId schema) =>
        StepOf(schema) is > 0 and var step && chain[step - 1].Message.Id == schema ? step : 0;
}
