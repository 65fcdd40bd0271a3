using Telemetry.Storage.Fleet;

namespace Telemetry.Storage.Acts;

/// <summary>
/// What people do on the dashboard. Each act is one transaction with its row of the audit. Nobody acts on what is out
/// of the actor's limit: it is not found. Errors are <see cref="StoreException"/>.
/// </summary>
public interface IOperatorActs
{
    /// <summary>
    /// Acknowledges an alert as it was seen: of this revision, and firing. Another act of the same, or another state of
    /// the alert, is a conflict.
    /// </summary>
    Task<ActOutcome> AcknowledgeAsync(
        Actor actor, byte[] alert, int revision, string comment, CancellationToken cancellationToken);

    /// <summary>Silences alerts until a time; gives the silence's id.</summary>
    Task<long> SilenceAsync(Actor actor, Silence silence, CancellationToken cancellationToken);

    /// <summary>Ends a silence.</summary>
    Task<ActOutcome> EndSilenceAsync(Actor actor, long silence, CancellationToken cancellationToken);

    /// <summary>The silences that hold now, as JSON.</summary>
    Task<byte[]> SilencesAsync(SiteLimit limit, CancellationToken cancellationToken);

    /// <summary>Stores a dead letter again, as far as it can be stored now.</summary>
    Task<ActOutcome> RetryAsync(Actor actor, long letter, CancellationToken cancellationToken);
}

/// <summary>Who acts.</summary>
/// <param name="Name">The name of the user.</param>
/// <param name="Limit">What the user may see.</param>
public sealed record Actor(string Name, SiteLimit Limit);

/// <summary>What came of an act.</summary>
/// <param name="Result">In one word.</param>
/// <param name="Why">Why it was not done; empty when it was.</param>
public sealed record ActOutcome(ActResult Result, string Why = "")
{
    public static readonly ActOutcome Done = new(ActResult.Done);
}

/// <summary>What came of an act, in one word.</summary>
public enum ActResult
{
    Done,

    /// <summary>There is no such thing, or the actor may not see it.</summary>
    NotFound,

    /// <summary>It is not any more as it was seen.</summary>
    Conflict,
}

/// <summary>What is silenced, why, and until when.</summary>
/// <param name="Matcher">An object of properties that an alert must have.</param>
/// <param name="Reason">In the actor's words.</param>
/// <param name="Until">The end.</param>
public sealed record Silence(byte[] Matcher, string Reason, DateTime Until);
