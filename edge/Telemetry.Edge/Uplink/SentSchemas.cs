using Telemetry.Edge.Outbox;
using Telemetry.Model;
using Telemetry.Model.Schemas;

namespace Telemetry.Edge.Uplink;

/// <summary>
/// Which schemas this process has sent in which lane: each goes up once in each lane before the first frame that needs
/// it, even where an answer calls it known, because each stream must be readable by itself.
/// </summary>
internal sealed class SentSchemas
{
    private readonly HashSet<(Lane Lane, SchemaId Schema)> _sent = [];

    /// <summary>The part of the chain up to a schema that the lane still lacks, first to last.</summary>
    public IReadOnlyList<SchemaMessage> Missing(Lane lane, SchemaId schema, IReadOnlyList<SchemaRow> chain)
    {
        if (schema == default || _sent.Contains((lane, schema)))
        {
            return [];
        }

        var until = 0;
        while (until < chain.Count && chain[until].Message.Id != schema)
        {
            until++;
        }

        return [.. chain.Take(until + 1).Select(row => row.Message).Where(m => !_sent.Contains((lane, m.Id)))];
    }

    /// <summary>The log has it.</summary>
    public void Add(Lane lane, SchemaId schema) => _sent.Add((lane, schema));

    /// <summary>
    /// The database lacks it (or one before it): everything goes up again before the lane's next frame.
    /// </summary>
    public void Forget() => _sent.Clear();
}
