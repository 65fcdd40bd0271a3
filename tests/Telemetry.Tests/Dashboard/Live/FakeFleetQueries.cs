using System.Text;
using Telemetry.Storage;
using Telemetry.Storage.Fleet;

namespace Telemetry.Tests.Dashboard.Live;

/// <summary>A database with the answers that the test gives.</summary>
internal sealed class FakeFleetQueries : IFleetQueries
{
    public FleetSnapshot Fleet { get; set; } = new(0, [], []);

    public bool Fails { get; set; }

    /// <summary>The answer to every question but the first two; null: not found.</summary>
    public string? Json { get; set; } = "[]";

    /// <summary>The limits of what was asked.</summary>
    public List<SiteLimit> Limits { get; } = [];

    /// <summary>What was asked and answered.</summary>
    public List<string> Asked { get; } = [];

    public Task<FleetSnapshot> LoadAsync(int? partition, CancellationToken cancellationToken)
    {
        Check();
        Asked.Add($"load {(partition is { } number ? number : "all")}");
        return Task.FromResult(Fleet);
    }

    public Task<IReadOnlyDictionary<string, int>> CountFiringAsync(
        IReadOnlyCollection<string> gateways, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyDictionary<string, int>>(new Dictionary<string, int>());

    public Task<byte[]?> GatewayAsync(string gateway, SiteLimit limit, CancellationToken cancellationToken) =>
        Answer($"{gateway}", limit);

    public Task<byte[]?> AlertsAsync(AlertsAsked asked, CancellationToken cancellationToken) =>
        Answer($"{asked}", asked.Sites);

    public Task<byte[]?> SeriesAsync(
        string? gateway, string search, int rows, SiteLimit limit, CancellationToken cancellationToken) =>
        Answer($"series {gateway} {search} {rows}", limit);

    public Task<byte[]?> ValuesAsync(ValuesAsked asked, CancellationToken cancellationToken) =>
        Answer($"{asked}", asked.Sites);

    public Task<byte[]?> BooksAsync(string after, int rows, SiteLimit limit, CancellationToken cancellationToken) =>
        Answer($"books {after} {rows}", limit);

    public Task<byte[]?> DaysAsync(
        string? gateway, int days, SiteLimit limit, CancellationToken cancellationToken) =>
        Answer($"days {gateway} {days}", limit);

    public Task<byte[]?> PipelineAsync(CancellationToken cancellationToken) => Answer("pipeline", SiteLimit.None);

    private Task<byte[]?> Answer(string asked, SiteLimit limit)
    {
        Check();
        Limits.Add(limit);
        Asked.Add(asked);
        return Task.FromResult(Json is null ? null : Encoding.UTF8.GetBytes(Json));
    }

    private void Check()
    {
        if (Fails)
        {
            throw new StoreException("the database is away", isDataFault: false, mayHaveCommitted: false);
        }
    }
}
