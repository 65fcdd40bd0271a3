using Telemetry.Storage.Alerts;

namespace Telemetry.Alerting.Routes;

/// <summary>Where a transition goes beside the alert topic.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Form">What it gets.</param>
public readonly record struct AlertDestination(string Topic, AlertForm Form);

/// <summary>
/// The routes, in the order of their file. The alert topic has every transition whatever they say: the relay finds its
/// place by it. They add topics.
/// </summary>
public sealed class AlertRoutes(IReadOnlyList<AlertRoute> all)
{
    /// <summary>No routes: the alert topic alone.</summary>
    public static readonly AlertRoutes None = new([]);

    public IReadOnlyList<AlertRoute> All => all;

    /// <summary>Every topic that a route names.</summary>
    public IReadOnlyList<string> Topics { get; } = [.. all.SelectMany(r => r.Topics).Distinct()];

    /// <summary>True when the sites of devices have to be known.</summary>
    public bool AskForSites { get; } = all.Any(r => r.Match.AsksForSite);

    /// <summary>The topics of a transition, each once, with the form of the first route that names it.</summary>
    public IReadOnlyList<AlertDestination> Of(AlertTransition transition, string site)
    {
        var found = new List<AlertDestination>();
        foreach (var route in all.Where(r => r.Match.Fits(transition, site)))
        {
            found.AddRange(route.Topics.Where(t => found.All(f => f.Topic != t))
                .Select(t => new AlertDestination(t, route.Form)));
            if (!route.Continue)
            {
                break;
            }
        }

        return found;
    }
}
