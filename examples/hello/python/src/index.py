def main_handler(event, context):
    print(f"hello runs for request {context['request_id']}")
    name = event.get("name", "world") if isinstance(event, dict) else "world"
    return {"message": f"Hello, {name}!", "event": event}
