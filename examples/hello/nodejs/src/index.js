'use strict';

exports.main_handler = async (event, context) => {
  console.log(`hello runs for request ${context.request_id}`);
  const name = event && typeof event.name === 'string' ? event.name : 'world';
  return { message: `Hello, ${name}!`, event };
};
