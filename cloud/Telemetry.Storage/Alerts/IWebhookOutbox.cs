namespace Telemetry.Storage.Alerts;

/// <summary>How far a webhook is in a partition of the alert outbox.</summary>
/// <param name="Number">Done up to this number.</param>
/// <param name="Head">The newest number.</param>
public readonly record struct WebhookPosition(long Number, long Head);

/// <summary>A row of the alert outbox for a webhook.</summary>
/// <param name="Number">Its number in the partition.</param>
/// <param name="Id">The transition's id.</param>
/// <param name="Age">How long ago it was stored, by the database's clock.</param>
/// <param name="Json">The transition, see <see cref="AlertTransition.ToJson"/>.</param>
public sealed record WebhookRow(long Number, string Id, TimeSpan Age, ReadOnlyMemory<byte> Json);

/// <summary>An event that a receiver did not take in time.</summary>
/// <param name="Id">Its number; 0 before it is stored.</param>
/// <param name="Webhook">The webhook.</param>
/// <param name="Event">The event's id.</param>
/// <param name="Body">The event as it is sent.</param>
/// <param name="Error">Why it was not taken at the last attempt.</param>
public sealed record WebhookDeadLetter(
    long Id, string Webhook, string Event, ReadOnlyMemory<byte> Body, string Error)
{
    /// <summary>The most that are kept of a webhook.</summary>
    public const int KeptMax = 100_000;

    /// <summary>When it was given up.</summary>
    public DateTimeOffset GivenUpAt { get; init; }

    /// <summary>True when an operator asked for another attempt.</summary>
    public bool IsRetried { get; init; }
}

/// <summary>A webhook's side of the database. Errors are <see cref="Storage.StoreException"/>.</summary>
public interface IWebhookOutbox
{
    /// <summary>
    /// Takes the lease of a webhook by the database's clock if it is free, has run out, or is this owner's; false while
    /// another owner holds it.
    /// </summary>
    Task<bool> TakeLeaseAsync(
        string webhook, long token, string owner, TimeSpan lease, CancellationToken cancellationToken);

    /// <summary>Gives the lease back. Does nothing when the token is another owner's.</summary>
    Task ReleaseLeaseAsync(string webhook, long token, CancellationToken cancellationToken);

    /// <summary>
    /// How far the webhook is in each partition. One that is new begins at the newest rows; of a partition that is new
    /// it begins at the first row.
    /// </summary>
    Task<IReadOnlyDictionary<int, WebhookPosition>> PositionsAsync(
        string webhook, CancellationToken cancellationToken);

    /// <summary>Rows after a number, in order, at most <paramref name="rowsMax"/>.</summary>
    Task<IReadOnlyList<WebhookRow>> ReadAsync(
        int partition, long after, int rowsMax, CancellationToken cancellationToken);

    /// <summary>The sites of those of the devices that have one, from their metadata.</summary>
    Task<IReadOnlyDictionary<(string Gateway, string Device), string>> SitesAsync(
        IReadOnlyCollection<(string Gateway, string Device)> devices, CancellationToken cancellationToken);

    /// <summary>
    /// Writes how far the webhook is, and what is given up, in one transaction; false, and nothing, when the token is
    /// another owner's. Of the dead letters of a webhook the newest <see cref="WebhookDeadLetter.KeptMax"/> stay.
    /// </summary>
    Task<bool> NoteAsync(
        string webhook, long token, IReadOnlyDictionary<int, long> done,
        IReadOnlyCollection<WebhookDeadLetter> givenUp, CancellationToken cancellationToken);

    /// <summary>The dead letters for which an operator asked for another attempt, the oldest first.</summary>
    Task<IReadOnlyList<WebhookDeadLetter>> RetriedAsync(
        string webhook, int lettersMax, CancellationToken cancellationToken);

    /// <summary>
    /// After another attempt: removes the dead letter, or with an error keeps it with that.
    /// </summary>
    Task NoteRetryAsync(long id, string? error, CancellationToken cancellationToken);
}
