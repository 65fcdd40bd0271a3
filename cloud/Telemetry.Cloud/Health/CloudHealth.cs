using System.Collections.Concurrent;

namespace Telemetry.Cloud.Health;

/// <summary>What stands between this process and its work. Any thread.</summary>
internal sealed class CloudHealth
{
    private readonly ConcurrentDictionary<string, Func<string?>> _conditions = new(StringComparer.Ordinal);

    /// <summary>Adds a condition: the problem that exists now, or null.</summary>
    public void Add(string name, Func<string?> problem) => _conditions[name] = problem;

    /// <summary>Everything that is wrong now; nothing means ready.</summary>
    public IReadOnlyList<string> Problems() =>
        [.. from condition in _conditions
            let problem = condition.Value()
            where problem is not null
            orderby condition.Key
            select $"{condition.Key}: {problem}"];
}
