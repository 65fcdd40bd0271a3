namespace Telemetry.Storage.Fleet;

/// <summary>
/// What a dashboard asks the database, reading alone. Answers but for the first are JSON in UTF-8, made by the
/// database; null where what was asked for is not there, or may not be seen. Errors are <see cref="StoreException"/>.
/// </summary>
public interface IFleetQueries
{
    /// <summary>Reads the fleet, or what one partition has of it.</summary>
    Task<FleetSnapshot> LoadAsync(int? partition, CancellationToken cancellationToken);

    /// <summary>The number of firing alerts of these gateways; those without one are left out.</summary>
    Task<IReadOnlyDictionary<string, int>> CountFiringAsync(
        IReadOnlyCollection<string> gateways, CancellationToken cancellationToken);

    /// <summary>One gateway: books, connection, epochs, gaps, devices, series with their last value, letters.</summary>
    Task<byte[]?> GatewayAsync(string gateway, SiteLimit limit, CancellationToken cancellationToken);

    /// <summary>Alerts that are firing, or the history of transitions, the newest first.</summary>
    Task<byte[]?> AlertsAsync(AlertsAsked asked, CancellationToken cancellationToken);

    /// <summary>The series whose gateway, device or metric contains a text; of one gateway if it is given.</summary>
    Task<byte[]?> SeriesAsync(
        string? gateway, string search, int rows, SiteLimit limit, CancellationToken cancellationToken);

    /// <summary>Readings or windows of a series in a span, the oldest first.</summary>
    Task<byte[]?> ValuesAsync(ValuesAsked asked, CancellationToken cancellationToken);

    /// <summary>The books of gateways, and their sum.</summary>
    Task<byte[]?> BooksAsync(string after, int rows, SiteLimit limit, CancellationToken cancellationToken);

    /// <summary>What was stored, rejected and dropped on each of the last days.</summary>
    Task<byte[]?> DaysAsync(string? gateway, int days, SiteLimit limit, CancellationToken cancellationToken);

    /// <summary>Partitions, owners, lag, dead letters, the relay and the size of the database.</summary>
    Task<byte[]?> PipelineAsync(CancellationToken cancellationToken);
}

/// <summary>Which alerts are asked for.</summary>
/// <param name="Firing">True: those that are firing; false: the history.</param>
/// <param name="Gateway">Of this gateway; null for all.</param>
/// <param name="Rule">Of this rule; null for all.</param>
/// <param name="Before">Of the history, what was stored before.</param>
/// <param name="Limit">At most so many.</param>
public sealed record AlertsAsked(bool Firing, string? Gateway, string? Rule, DateTime Before, int Limit)
{
    /// <summary>Of gateways that whoever asks may see.</summary>
    public SiteLimit Sites { get; init; } = SiteLimit.None;
}

/// <summary>Which values of a series are asked for.</summary>
/// <param name="Series">Its number in this database.</param>
/// <param name="Kind">readings, windows, hour or day.</param>
/// <param name="From">From this time on.</param>
/// <param name="To">Before this time.</param>
/// <param name="Limit">At most so many.</param>
public sealed record ValuesAsked(int Series, string Kind, DateTime From, DateTime To, int Limit)
{
    /// <summary>What whoever asks may see.</summary>
    public SiteLimit Sites { get; init; } = SiteLimit.None;
}
