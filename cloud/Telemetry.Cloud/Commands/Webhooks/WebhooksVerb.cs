using System.CommandLine;

namespace Telemetry.Cloud.Commands.Webhooks;

/// <summary>The verbs <c>webhooks list</c>, <c>show</c>, <c>retry</c> and <c>discard</c>.</summary>
internal static class WebhooksVerb
{
    public static Command Create(VerbAction<WebhookArguments> run) =>
        new("webhooks", "Events that a webhook's receiver did not take in time.")
        {
            List(run),
            Show(run),
            Many(run, "retry", "Asks for another attempt, which the process that sends the webhook makes."),
            Many(run, "discard", "Removes events that are not wanted any more."),
        };

    private static Command List(VerbAction<WebhookArguments> run)
    {
        var webhook = WebhookOption();
        var command = new Command("list", "Lists the newest 1,000 with the reason.") { webhook };
        command.SetAction((result, cancellationToken) => run(
            new WebhookArguments { Verb = "list", Webhook = result.GetValue(webhook) }, result, cancellationToken));
        return command;
    }

    private static Command Show(VerbAction<WebhookArguments> run)
    {
        var id = new Argument<long>("ID") { Description = "Its number in the list." };
        var command = new Command("show", "Shows the event as it is sent.") { id };
        command.SetAction((result, cancellationToken) => run(
            new WebhookArguments { Verb = "show", Ids = [result.GetRequiredValue(id)] }, result, cancellationToken));
        return command;
    }

    private static Command Many(VerbAction<WebhookArguments> run, string verb, string description)
    {
        var ids = new Argument<long[]>("ID")
        {
            Description = "Numbers in the list.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var webhook = WebhookOption();
        var command = new Command(verb, description) { ids, webhook };
        command.Validators.Add(result =>
        {
            if ((result.GetResult(ids)?.Tokens.Count ?? 0) > 0 == result.GetResult(webhook) is not null)
            {
                result.AddError($"{verb} takes either ids or --webhook");
            }
        });
        command.SetAction((result, cancellationToken) => run(
            new WebhookArguments
            {
                Verb = verb,
                Ids = result.GetValue(ids) ?? [],
                Webhook = result.GetValue(webhook),
            },
            result, cancellationToken));
        return command;
    }

    private static Option<string> WebhookOption() =>
        new("--webhook") { HelpName = "NAME", Description = "Those of a webhook." };
}
