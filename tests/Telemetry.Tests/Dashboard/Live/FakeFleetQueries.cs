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

    public Task<byte[]?> GatewayAsync(string gateway, CancellationToken cancellationToken) => Answer($"{gateway}");

    public Task<byte[]?> AlertsAsync(AlertsAsked asked, CancellationToken cancellationToken) => Answer($"{asked}");

    public Task<byte[]?> SeriesAsync(
        string? gateway, string search, int limit, CancellationToken cancellationToken) =>
        Answer($"series {gateway} {search} {limit}");

    public Task<byte[]?> ValuesAsync(ValuesAsked asked, CancellationToken cancellationToken) => Answer($"{asked}");

    public Task<byte[]?> BooksAsync(string after, int limit, CancellationToken cancellationToken) =>
        Answer($"books {after} {limit}");

    public Task<byte[]?> DaysAsync(string? gateway, int days, CancellationToken cancellationToken) =>
        Answer($"days {gateway} {days}");

    public Task<byte[]?> PipelineAsync(CancellationToken cancellationToken) => Answer("pipeline");

    private Task<byte[]?> Answer(string asked)
    {
        Check();
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
